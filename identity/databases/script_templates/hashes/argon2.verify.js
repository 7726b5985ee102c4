  // An error where the stored text is no Argon2 hash: that is no wrong password.
  async function passwordMatches(given, stored) {
    const phc = /^\$argon2(id|i|d)(\$v=\d+)?\$m=\d+,t=\d+,p=\d+[^$]*\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{22,}$/;
    if (!phc.test(stored)) throw new Error('unknown format');
    return argon2.verify(stored, given);
  }
