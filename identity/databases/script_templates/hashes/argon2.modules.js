  const argon2 = require('argon2@0.40.1');
