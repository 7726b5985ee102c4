// The npm module `mysql`, which mysql2 took its interface from. Where a connection breaks, `mysql` tells whoever waits for
// an answer and nobody else; mysql2 also emits an error that ends a script without a listener.
"use strict";

const { installed } = require("../modules");

const real = installed("mysql2");

const listening = (make) => (...given) => make(...given).on("error", () => {});

module.exports = { ...real, createConnection: listening(real.createConnection) };
