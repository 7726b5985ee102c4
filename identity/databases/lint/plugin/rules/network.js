// Outbound calls: time-outs, encryption, access tokens, direct database ports.
"use strict";

const { rule } = require("../rule");
const { hasSpread, isModule, isText, path, property, resolve, says } = require("../ast");

// Which option bounds the wait, for each way of reaching out. The options are the given argument (0 or 1).
const TIMEOUTS = [
  { call: /^(fetch|nodeFetch)$/, argument: 1, options: ["signal", "timeout"] },
  { call: /^(https?\.(get|request)|got(\.\w+)?|needle(\.\w+)?)$/, argument: 1, options: ["timeout", "signal"] },
  { call: /^axios(\.(get|delete|head|request))?$/, argument: 1, options: ["timeout", "signal"] },
  { call: /^axios\.(post|put|patch)$/, argument: 2, options: ["timeout", "signal"] },
  { call: /^request(\.(get|post|put|patch|del|delete))?$/, argument: 0, options: ["timeout"] },
  { create: /^(pg\.)?(Client|Pool)$/, argument: 0, options: ["connectionTimeoutMillis"] },
  { create: /^(mongodb\.)?MongoClient$/, argument: 1, options: ["serverSelectionTimeoutMS"] },
  { create: /^((sql|mssql)\.)?ConnectionPool$/, argument: 0, options: ["connectionTimeout", "connectTimeout"] },
  { call: /^(mysql|mysql2)\.(createConnection|createPool)$/, argument: 0, options: ["connectTimeout"] },
];

const MODULES = /^(node:)?(https?|node-fetch|axios|request|request-promise|got|needle|mysql2?(\/promise)?)(@|\/|$)/;

function judgeTimeout({ context, report }, node, name, kind) {
  const known = TIMEOUTS.find((one) => one[kind]?.test(name));
  if (!known || (kind === "call" && !isModule(context, node.callee, MODULES))) return;
  // The first object among the arguments counts: request(options), http.get(url, options), fetch(url, options).
  const given = node.arguments.slice(0, known.argument + 1).map((one) => resolve(context, one));
  const options = given.findLast((one) => one?.type === "ObjectExpression");
  if (options && (hasSpread(options) || known.options.some((option) => property(options, option)))) {
    if (known.options.some((option) => property(options, option))) return;
  }
  if (chainedTimeout(node)) return;
  report(node, `${name} has no time-out (${known.options[0]}).`);
}

/** http.get(...).setTimeout(5000) and .on('timeout') bound the wait too. */
const chainedTimeout = (node) =>
  node.parent.type === "MemberExpression" && /setTimeout/.test(node.parent.property.name ?? "");

const CDB17 = rule((tools) => ({
  CallExpression: (node) => judgeTimeout(tools, node, path(node.callee), "call"),
  NewExpression: (node) => judgeTimeout(tools, node, path(node.callee), "create"),
}));

const UNSAFE = { rejectUnauthorized: false, strictSSL: false, encrypt: false, ssl: false, tls: false };
const UNSAFE_WHEN_TRUE = ["trustServerCertificate", "tlsAllowInvalidCertificates", "tlsInsecure", "insecure"];

const CDB18 = rule(({ report }) => ({
  Literal(node) {
    if (!isText(node)) return;
    if (/^http:\/\//i.test(node.value)) report(node, "This address is not encrypted (http:).");
    if (/\b(sslmode=(disable|allow|prefer|no-verify)|tls=false|ssl=false|encrypt=false)\b/i.test(node.value)) {
      report(node, "This connection string turns encryption or its checks off.");
    }
  },
  TemplateElement(node) {
    if (/^http:\/\//i.test(node.value.raw)) report(node, "This address is not encrypted (http:).");
  },
  Property(node) {
    const name = node.key.name ?? node.key.value;
    const value = node.value.type === "Literal" ? node.value.value : undefined;
    const off = Object.hasOwn(UNSAFE, name) && value === false;
    if (!off && !(UNSAFE_WHEN_TRUE.includes(name) && value === true)) return;
    const checks = name === "rejectUnauthorized" || name === "strictSSL" || value === true;
    report(node, `${name}: ${value} turns ${checks ? "certificate checks" : "encryption"} off.`,
      checks ? (fixer) => fixer.replaceText(node.value, String(!value)) : null);
  },
  AssignmentExpression(node) {
    if (/NODE_TLS_REJECT_UNAUTHORIZED$/.test(path(node.left))) report(node, "This turns certificate checks off.");
  },
}));

const DRIVERS = /^(pg|mysql2?|mongodb|mongoose|mssql|tedious|oracledb|sequelize|knex|ioredis|redis|cassandra-driver)(@|\/|$)/;

const CDB42 = rule(({ report }) => ({
  'CallExpression[callee.name="require"]'(node) {
    const name = node.arguments[0]?.value;
    if (DRIVERS.test(name)) report(node, `The script opens the database itself (${name.split("@")[0]}).`);
  },
}));

const CLIENTS = /^(node-fetch|axios|request|request-promise|got|needle)(@|\/|$)/;

const CDB43 = rule(({ context, program, report, visitorKeys }) => {
  const calls = [];
  const told = (pattern) => says(program, visitorKeys, pattern);
  return {
    CallExpression(node) {
      if (isModule(context, node.callee, CLIENTS)) calls.push(node);
    },
    "Program:exit"() {
      if (!calls.length) return;
      if (!told(/authorization|bearer|oauth|x-api-key|access_token/i)) {
        report(calls[0], "The API is called without an access token.");
      } else if (told(/^client_credentials$/) && !told(/^global(This)?$/)) {
        report(calls[0], "A new access token is asked for at every execution.");
      }
    },
  };
});

module.exports = { CDB17, CDB18, CDB42, CDB43 };
