  // Stored as pbkdf2_sha256$iterations$salt$base64, as Django and others write it.
  async function passwordHash(given) {
    const salt = crypto.randomBytes(16).toString('base64url');
    const hash = await promisify(crypto.pbkdf2)(given, salt, 600000, 32, 'sha256');
    return `pbkdf2_sha256$600000$${salt}$${hash.toString('base64')}`;
  }
