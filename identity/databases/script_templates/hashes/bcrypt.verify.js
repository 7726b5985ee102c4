  const passwordMatches = (given, stored) => bcrypt.compare(given, stored || '');
