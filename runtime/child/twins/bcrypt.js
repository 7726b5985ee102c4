// The native module knows the prefixes $2a$ and $2b$ alone, and takes any other hash for a wrong password; bcryptjs also
// knows PHP's $2y$.
"use strict";

const { installed } = require("../modules");

const real = installed("bcryptjs");
const isKnown = (hash) => typeof hash !== "string" || /^\$2[ab]\$/.test(hash);

module.exports = {
  ...real,
  compare(given, hash, ...rest) {
    if (isKnown(hash)) return real.compare(given, hash, ...rest);
    const callback = rest.find((one) => typeof one === "function");
    return callback ? void process.nextTick(callback, null, false) : Promise.resolve(false);
  },
  compareSync: (given, hash) => isKnown(hash) && real.compareSync(given, hash),
};
