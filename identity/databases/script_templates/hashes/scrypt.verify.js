  // Stored as scrypt$N$r$p$salt$hash, salt and hash in base64. An error for any other format: that is no wrong password.
  const SCRYPT = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]{22,}=*)$/;
  async function passwordMatches(given, stored) {
{% include 'hashes/scrypt.compare.js' %}
  }
