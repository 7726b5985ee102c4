// bcrypt with small costs: the contract tests look at what a script does, not at how long a hash takes.
"use strict";

const real = require("bcrypt");

const MOST_ROUNDS = 4;
const cheap = (rounds) => (typeof rounds === "number" ? Math.min(rounds, MOST_ROUNDS) : rounds);

module.exports = {
  ...real,
  genSalt: (rounds, ...rest) => real.genSalt(cheap(rounds), ...rest),
  genSaltSync: (rounds) => real.genSaltSync(cheap(rounds)),
  hash: (password, salt, ...rest) => real.hash(password, cheap(salt), ...rest),
  hashSync: (password, salt) => real.hashSync(password, cheap(salt)),
};
