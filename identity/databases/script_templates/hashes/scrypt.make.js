  // Stored as scrypt$N$r$p$salt$hash, salt and hash in base64.
  async function passwordHash(given) {
    const salt = crypto.randomBytes(16);
    const hash = await promisify(crypto.scrypt)(given, salt, 32, { N: 32768, r: 8, p: 1, maxmem: 128 * 1024 * 1024 });
    return `scrypt$32768$8$1$${salt.toString('base64')}$${hash.toString('base64')}`;
  }
