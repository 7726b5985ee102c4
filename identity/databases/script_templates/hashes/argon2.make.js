  const passwordHash = (given) => argon2.hash(given, { type: argon2.argon2id, memoryCost: 19456, timeCost: 2, parallelism: 1 });
