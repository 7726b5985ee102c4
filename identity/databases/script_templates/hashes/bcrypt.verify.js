  // An error where the stored text is no bcrypt hash: that is no wrong password.
  async function passwordMatches(given, stored) {
    if (!/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(stored)) throw new Error('unknown format');
    // PHP writes $2y$, which the module does not know; the hash is the same as of $2b$.
    return bcrypt.compare(given, stored.replace(/^\$2y/, '$2b'));
  }
