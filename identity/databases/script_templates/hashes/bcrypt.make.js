  const passwordHash = (given) => bcrypt.hash(given, 12);
