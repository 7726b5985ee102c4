    const [, N, r, p, salt, expected] = stored.match(SCRYPT) || [];
    if (!expected) throw new Error('unknown format');
    const cost = { N: Number(N), r: Number(r), p: Number(p), maxmem: 128 * 1024 * 1024 };
    const wanted = Buffer.from(expected, 'base64');
    const found = await promisify(crypto.scrypt)(given, Buffer.from(salt, 'base64'), wanted.length, cost);
    return crypto.timingSafeEqual(found, wanted);
