  // Stored as pbkdf2_sha256$iterations$salt$base64, as Django and others write it. An error for any other format: that
  // is no wrong password.
  async function passwordMatches(given, stored) {
    const [, iterations, salt, expected] = stored.match(/^pbkdf2_sha256\$(\d+)\$([^$]+)\$([A-Za-z0-9+/]{22,}=*)$/) || [];
    if (!expected) throw new Error('unknown format');
    const wanted = Buffer.from(expected, 'base64');
    const found = await promisify(crypto.pbkdf2)(given, salt, Number(iterations), wanted.length, 'sha256');
    return crypto.timingSafeEqual(found, wanted);
  }
