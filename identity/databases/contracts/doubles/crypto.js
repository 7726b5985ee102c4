// crypto with small costs: what was hashed here with a great cost is also verified here, with the same small one.
"use strict";

const real = require("crypto");

const MOST_ITERATIONS = 1000;
const MOST_N = 1024;
const cheap = (options) => (options?.N || options?.cost ? { ...options, N: Math.min(options.N ?? options.cost, MOST_N) } : options);

module.exports = {
  ...real,
  pbkdf2: (password, salt, iterations, ...rest) => real.pbkdf2(password, salt, Math.min(iterations, MOST_ITERATIONS), ...rest),
  pbkdf2Sync: (password, salt, iterations, ...rest) => real.pbkdf2Sync(password, salt, Math.min(iterations, MOST_ITERATIONS), ...rest),
  scrypt(password, salt, length, ...rest) {
    const done = rest.pop();
    return real.scrypt(password, salt, length, cheap(rest[0]) ?? { N: MOST_N }, done);
  },
  scryptSync: (password, salt, length, options) => real.scryptSync(password, salt, length, cheap(options) ?? { N: MOST_N }),
};
