  // New passwords are stored with scrypt; login accepts these and the old salted ones.
{% include 'hashes/scrypt.make.js' %}
