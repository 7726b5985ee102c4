  // Stored as pbkdf2_sha256$iterations$salt$base64, as Django and others write it.
  async function passwordMatches(given, stored) {
    const [kind, iterations, salt, expected] = String(stored || '').split('$');
    if (kind !== 'pbkdf2_sha256' || !expected) return false;
    const wanted = Buffer.from(expected, 'base64');
    const found = await promisify(crypto.pbkdf2)(given, salt, Number(iterations), wanted.length, 'sha256');
    return crypto.timingSafeEqual(found, wanted);
  }
