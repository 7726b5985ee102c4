// argon2 with small costs for new hashes; a PHC string carries its own, so verifying needs no double.
"use strict";

const real = require("argon2");

const cheap = { memoryCost: 1024, timeCost: 1, parallelism: 1 };

module.exports = { ...real, hash: (password, options) => real.hash(password, { ...options, ...cheap }) };
