// The plugin: every rule that looks at one script, by its number.
"use strict";

const { factsOf, ...answers } = require("./rules/answers");
const { rule } = require("./rule");

const rules = {
  ...require("./rules/shape"),
  ...require("./rules/callback"),
  ...require("./rules/network"),
  ...require("./rules/secrets"),
  ...require("./rules/queries"),
  ...require("./rules/passwords"),
  ...require("./rules/connections"),
  ...answers,
};

module.exports = { meta: { name: "castellan-custom-databases" }, rules, rule, factsOf };
