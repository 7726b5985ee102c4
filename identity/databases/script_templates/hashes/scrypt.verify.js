  // Stored as scrypt$N$r$p$salt$hash, salt and hash in base64.
  async function passwordMatches(given, stored) {
    const [kind, N, r, p, salt, expected] = String(stored || '').split('$');
    if (kind !== 'scrypt' || !expected) return false;
    const wanted = Buffer.from(expected, 'base64');
    const cost = { N: Number(N), r: Number(r), p: Number(p), maxmem: 128 * 1024 * 1024 };
    const found = await promisify(crypto.scrypt)(given, Buffer.from(salt, 'base64'), wanted.length, cost);
    return crypto.timingSafeEqual(found, wanted);
  }
