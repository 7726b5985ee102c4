  // Old passwords are stored as sha1$salt$hex, sha256$salt$hex or sha512$salt$hex, the hash of salt + password. That
  // is weak, so every new password is stored with scrypt instead, and both are accepted here.
  async function passwordMatches(given, stored) {
    const [kind, ...parts] = String(stored || '').split('$');
    if (kind === 'scrypt' && parts.length === 5) {
      const [N, r, p, salt, expected] = parts;
      const cost = { N: Number(N), r: Number(r), p: Number(p), maxmem: 128 * 1024 * 1024 };
      const wanted = Buffer.from(expected, 'base64');
      const found = await promisify(crypto.scrypt)(given, Buffer.from(salt, 'base64'), wanted.length, cost);
      return crypto.timingSafeEqual(found, wanted);
    }
    if (!['sha1', 'sha256', 'sha512'].includes(kind) || parts.length !== 2) return false;
    const found = crypto.createHash(kind).update(parts[0] + given).digest();
    const wanted = Buffer.from(parts[1], 'hex');
    return found.length === wanted.length && crypto.timingSafeEqual(found, wanted);
  }
