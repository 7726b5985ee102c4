"use strict";
module.exports = { FILE: "script.js", async run() { throw new Error("not yet"); } };
