  // Old passwords are stored as sha1$salt$hex, sha256$salt$hex or sha512$salt$hex, the hash of salt + password. That
  // is weak, so every new password is stored with scrypt instead, and both are accepted here. An error for any other
  // format: that is no wrong password.
  const SCRYPT = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]{22,}=*)$/;
  async function passwordMatches(given, stored) {
    const [, kind, oldSalt, digest] = stored.match(/^(sha1|sha256|sha512)\$([^$]*)\$([0-9a-f]+)$/i) || [];
    if (digest) {
      const sum = crypto.createHash(kind.toLowerCase()).update(oldSalt + given).digest();
      const kept = Buffer.from(digest, 'hex');
      if (kept.length !== sum.length) throw new Error('unknown format');
      return crypto.timingSafeEqual(sum, kept);
    }
{% include 'hashes/scrypt.compare.js' %}
  }
