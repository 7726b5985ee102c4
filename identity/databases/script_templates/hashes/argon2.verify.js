  const passwordMatches = async (given, stored) => Boolean(stored) && argon2.verify(stored, given);
