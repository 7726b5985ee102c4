// Outbound calls: time-outs, encryption, access tokens, direct database ports.
"use strict";

const { rule } = require("../rule");
const { assignedFields, isText, keyName, memberName, origin, path, resolve, says, variableOf, walk } = require("../ast");

// [what reaches out, which argument holds its options, what bounds the wait there].
const TIMEOUTS = [
  [/^(fetch|node-fetch)$/, 1, ["signal", "timeout"]],
  [/^(https?\.(get|request)|got(\.\w+)?|needle(\.\w+)?)$/, 1, ["timeout", "signal"]],
  [/^axios\.create$/, 0, ["timeout", "signal"]],
  [/^axios(\.(get|delete|head|request))?$/, 1, ["timeout", "signal"]],
  [/^axios\.(post|put|patch)$/, 2, ["timeout", "signal"]],
  [/^request(-promise(-native)?)?(\.(get|post|put|patch|del|delete))?$/, 1, ["timeout"]],
  [/^pg\.(Client|Pool)$/, 0, ["connectionTimeoutMillis"]],
  [/^mongodb\.MongoClient(\.connect)?$/, 1, ["serverSelectionTimeoutMS", "connectTimeoutMS"]],
  [/^mssql\.(ConnectionPool|connect)$/, 0, ["connectionTimeout", "connectTimeout"]],
  [/^tedious\.(Connection|connect)$/, 0, ["connectTimeout"]],
  [/^mysql2?\.create(Connection|Pool)$/, 0, ["connectTimeout"]],
];

/** The names of all that a call's options hold, also further in and put in later; null where they can't be seen. */
function optionsOf({ context, visitorKeys }, given) {
  const shown = given.map((one) => resolve(context, one));
  const options = shown.findLast((one) => one?.type === "ObjectExpression");
  if (!options) return shown.some((one) => one?.type === "Identifier") ? null : [];
  const inside = [...walk(options, visitorKeys)].flatMap((one) => (one.type === "SpreadElement" ? [...walk(resolve(context, one.argument), visitorKeys)] : [one]));
  return [...inside.filter((one) => one.type === "Property").map(keyName), ...given.flatMap((one) => assignedFields(context, one))];
}

/** `http.get(...).setTimeout(5000)`, and `request.setTimeout(5000)` where the call made `request`. */
function boundedLater(context, { parent }) {
  if (parent.type === "MemberExpression") return memberName(parent) === "setTimeout";
  const made = parent.type === "VariableDeclarator" ? (variableOf(context, parent.id)?.references ?? []) : [];
  return made.some(({ identifier }) => identifier.parent.type === "MemberExpression" && memberName(identifier.parent) === "setTimeout");
}

function judgeTimeout(tools, node) {
  const name = origin(tools.context, node.callee);
  const [, argument, bounds] = TIMEOUTS.find(([pattern]) => pattern.test(name)) ?? [];
  if (!bounds || boundedLater(tools.context, node)) return;
  const options = optionsOf(tools, node.arguments.slice(0, argument + 1));
  if (options && !bounds.some((one) => options.includes(one))) tools.report(node, `${path(node.callee) || name} has no time-out (${bounds[0]}).`);
}

const CDB17 = rule((tools) => ({
  CallExpression: (node) => judgeTimeout(tools, node),
  NewExpression: (node) => judgeTimeout(tools, node),
}));

const UNSAFE = { rejectUnauthorized: false, strictSSL: false, encrypt: false, ssl: false, tls: false };
const UNSAFE_WHEN_TRUE = ["trustServerCertificate", "tlsAllowInvalidCertificates", "tlsInsecure", "insecure"];

// Names that look like addresses and are none: of XML, of SOAP, of claims.
const NAMESPACE = /^http:\/\/(schemas\.|www\.w3\.org|tempuri\.org)/i;
const isKey = (node) => node.parent.property === node || node.parent.key === node;
const namesAction = ({ parent }) => parent.type === "Property" && /soapaction|xmlns|namespace/i.test(keyName(parent));

const CDB18 = rule(({ report }) => ({
  Literal(node) {
    if (!isText(node) || isKey(node) || namesAction(node) || NAMESPACE.test(node.value)) return;
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

const CLIENTS = /^(fetch|node-fetch|axios|request|request-promise(-native)?|got|needle)(\.|$)/;
const CREDENTIAL = /authorization|bearer|oauth|(api|functions|subscription)[-_]?key|access_token/i;

/** `auth: { user: configuration.API_USER, ... }`: a credential of the script's own, not the person's. */
const isOwnCredential = (node, visitorKeys) =>
  node.type === "Property" && keyName(node) === "auth" && [...walk(node.value, visitorKeys)].some((one) => /^configuration\./.test(path(one)));

const CDB43 = rule(({ context, program, report, visitorKeys }) => {
  const calls = [];
  const told = (pattern) => says(program, visitorKeys, pattern);
  return {
    CallExpression(node) {
      if (CLIENTS.test(origin(context, node.callee))) calls.push(node);
    },
    "Program:exit"() {
      if (!calls.length) return;
      if (!told(CREDENTIAL) && ![...walk(program, visitorKeys)].some((one) => isOwnCredential(one, visitorKeys))) {
        report(calls[0], "The API is called without an access token.");
      } else if (told(/^client_credentials$/) && !told(/^global(This)?$/)) {
        report(calls[0], "A new access token is asked for at every execution.");
      }
    },
  };
});

module.exports = { CDB17, CDB18, CDB42, CDB43 };
