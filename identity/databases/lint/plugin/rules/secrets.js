// What must not stand in code, in global, in the log or in an error text; and how settings and modules are used.
"use strict";

const { isBuiltin } = require("node:module");

const { rule } = require("../rule");
const { ancestors, enclosingFunction, isNothing, isParameter, isText, keyName, memberName, methodName, path, says, variableOf, walk } = require("../ast");

const SECRET_NAME = /(password|passwd|pwd|secret|api_?key|access_?key|private_?key|auth_?token|access_?token|connection_?string|dsn)$/i;
const HOST_NAME = /^(host|hostname|server)$/i;
const PLACEHOLDER = /^(|\*+|x+|null|string|varchar|text|password|required)$/i;

/** Bits per character: a sentence has few, a key has many. */
function entropy(text) {
  const counts = new Map();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / text.length) * Math.log2(n / text.length), 0);
}

function secretIn(text) {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY/.test(text)) return "is a private key";
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]+:[^/\s@]+@/i.test(text)) return "is an address with its password";
  if (/\b(password|pwd)\s*=\s*[^;\s]+/i.test(text) && /\b(server|host|data source)\s*=/i.test(text)) return "is a connection string with its password";
  if (/^(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/i.test(text)) return "is a credential";
  if (/^(sk|pk|rk|ghp|xox[bp]|AKIA|eyJ)[-_A-Za-z0-9.]{16,}$/.test(text)) return "is a key";
  const dense = /^[A-Za-z0-9+/_=-]{32,}$/.test(text) && /\d/.test(text) && /[A-Za-z]/.test(text);
  return dense && entropy(text) > 3.6 && !isKnownShape(text) ? "looks like a key" : null;
}

const WORD = /^([a-z]+\d{0,4}|[A-Z]?[a-z]+|([A-Z][a-z]+)+|[A-Z]+|\d{1,4}|)$/;

/** Alphabets, UUIDs, and words with signs between them, such as paths and names of tables. */
const isKnownShape = (text) =>
  /abcdefghijkl/i.test(text) || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) || text.split(/[-_/]/).every((one) => WORD.test(one));

const CDB19 = rule(({ report }) => {
  const named = (name, value) => {
    if (!isText(value) || PLACEHOLDER.test(value.value) || secretIn(value.value)) return;
    if (SECRET_NAME.test(name)) report(value, `${name} holds a secret in the code.`);
    if (HOST_NAME.test(name)) report(value, `${name} names a host in the code.`);
  };
  const text = (node, value) => {
    const found = secretIn(value);
    if (found) report(node, `This ${found}.`);
  };
  return {
    Property: (node) => named(keyName(node), node.value),
    VariableDeclarator: (node) => named(node.id.name ?? "", node.init),
    AssignmentExpression: (node) => named(node.left.property?.name ?? node.left.name ?? "", node.right),
    Literal: (node) => isText(node) && text(node, node.value),
    TemplateElement: (node) => text(node, node.value.raw),
  };
});

const CDB21 = rule(({ report }) => {
  const judge = (node, target) => /^configuration(\.|$)/.test(path(target)) && report(node, "configuration is changed here.");
  return {
    AssignmentExpression: (node) => judge(node, node.left),
    UpdateExpression: (node) => judge(node, node.argument),
    'UnaryExpression[operator="delete"]': (node) => judge(node, node.argument),
    CallExpression: (node) => path(node.callee) === "Object.assign" && node.arguments[0] && judge(node, node.arguments[0]),
  };
});

const isAssigned = (node) => node.parent.type === "AssignmentExpression" && node.parent.left === node;

/** Every place that reads something of global, or asks for it. */
const readsOfGlobal = ({ program, visitorKeys }) =>
  [...walk(program, visitorKeys)].filter((one) => one.type === "MemberExpression" && /^global(This)?\./.test(path(one)) && !isAssigned(one));

/** Was global.x read before, in the same function, or asked for on the way? Then somebody thought about its first use. */
function isGuarded(node, name, reads) {
  if (["||=", "??="].includes(node.operator)) return true;
  const scope = enclosingFunction(node)?.range ?? [0, Infinity];
  const before = reads.filter((one) => path(one) === name && one.range[0] >= scope[0] && one.range[0] < node.range[1]);
  return before.some((one) => one.range[0] < node.range[0] || isAskedFor(one));
}

/** `global.x || ...`, `global.x ? ... : ...`, on the right of the assignment itself. */
const isAskedFor = (node) => [...ancestors(node)].some((one) => one.type === "LogicalExpression" || one.type === "ConditionalExpression");

const CDB22 = rule((tools) => {
  const [reads, tokens] = [readsOfGlobal(tools), []];
  return {
    AssignmentExpression(node) {
      const name = path(node.left).split(".").slice(0, 2).join(".");
      if (!/^(global|globalThis)\./.test(name) || isNothing(node.right)) return;
      if (!isGuarded(node, name, reads)) tools.report(node, `${name} is set without asking whether it is there.`);
      if (/token/i.test(name)) tokens.push(node);
    },
    "Program:exit"() {
      if (tokens.length && !says(tools.program, tools.visitorKeys, /expir|ttl|^now$/i)) {
        tools.report(tokens[0], "A token is kept without an end.");
      }
    },
  };
});

/** `global.cache` of `global.cache[email].name`; "" for what is not in global. */
function globalName(node) {
  for (let one = node; one?.type === "MemberExpression"; one = one.object) {
    if (/^(global|globalThis)\./.test(path(one))) return path(one);
  }
  return "";
}

/** A variable, and no name of a member, with something of a user in it. */
function isDatum({ context, main }, one) {
  const named = one.type === "Identifier" && (one.parent.property !== one || one.parent.computed) && one.parent.key !== one;
  return named && (isParameter(context, one, main) || /^(user|row|rows|profile|email)$/i.test(one.name));
}

/** What is put into global, and under which key. */
function judgeKept(tools, node, place, ...values) {
  const name = globalName(place);
  if (!name) return;
  const kept = [place, ...values].flatMap((one) => [...walk(one, tools.visitorKeys)]);
  const found = kept.find((one) => isDatum(tools, one));
  if (found) tools.report(node, `Data of a user (${found.name}) is kept in ${name}.`);
}

const CDB23 = rule((tools) => ({
  AssignmentExpression: (node) => judgeKept(tools, node, node.left, node.right),
  'CallExpression[callee.property.name=/^(set|add|push|unshift)$/]': (node) => judgeKept(tools, node, node.callee.object, ...node.arguments),
}));

// Some of the many: what scripts of this kind use. Auth0 publishes no list that a program can read.
const CANIREQUIRE = new Set([
  "argon2", "async", "auth0", "aws-sdk", "axios", "azure-storage", "bcrypt", "bcryptjs", "bluebird", "cassandra-driver",
  "couchbase", "crypto-js", "easy-pbkdf2", "edge", "express-jwt", "firebase-admin", "got", "ioredis", "jose",
  "jsonwebtoken", "jwks-rsa", "knex", "ldapjs", "lodash", "lru-cache", "lru-memoizer", "memcached", "moment",
  "mongo-getdb", "mongodb", "mongoose", "mssql", "mysql", "mysql2", "nano", "needle", "node-cassandra-cql", "node-fetch",
  "oauth", "oracledb", "pbkdf2", "pg", "promise", "q", "qs", "querystring", "ramda", "redis", "request",
  "request-promise", "rethinkdb", "scrypt", "scrypt-js", "sequelize", "soap", "sqlstring", "superagent", "tedious",
  "underscore", "uuid", "winston", "xml2js", "xmldom", "xpath", "xtend",
]);

const CDB24 = rule(({ report }) => ({
  'CallExpression[callee.name="require"]'(node) {
    const [argument] = node.arguments;
    if (!isText(argument)) return report(node, "The name of the module is not a plain string.");
    const [, name, pin] = /^((?:@[^/@]+\/)?[^/@]*)(?:@([^/]+))?/.exec(argument.value);
    if (isBuiltin(argument.value.replace(/@[^/]+/, "")) || isBuiltin(name)) return;
    if (!CANIREQUIRE.has(name)) report(argument, `${name} is not among the modules that are known here to be at Auth0.`);
    else if (!pin) report(argument, `${name} has no version.`);
  },
}));

const PRIVATE = /^(password|newPassword|pass|pwd|user|profile|row|rows|token|accessToken|access_token|secret|hash|configuration)$/;

const CDB25 = rule((tools) => ({
  "CallExpression[callee.object.name='console']"(node) {
    for (const argument of node.arguments) {
      const found = privateIn(argument, tools);
      if (!found) continue;
      const statement = node.parent.type === "ExpressionStatement" && node.parent.parent.type === "BlockStatement";
      const fix = statement ? (fixer) => fixer.remove(node.parent) : null;
      return tools.report(node, `The log gets ${found}.`, fix);
    }
  },
}));

/** `rows` of `rows && rows.length`, of `!rows`, of `rows ? 1 : 0`: whether it is there, not what is in it. */
const isAsked = (node) =>
  node.parent.type === "UnaryExpression" || (node.parent.operator === "&&" && node.parent.left === node) || (node.parent.type === "ConditionalExpression" && node.parent.test === node);

/** A whole user, a password, a token or a setting; `user.id` or `rows.length` alone is none of them. */
function privateIn(node, { visitorKeys, main, context, script }) {
  for (const one of walk(node, visitorKeys)) {
    if ((one.parent.type === "MemberExpression" && one.parent.object === one) || isAsked(one)) continue;
    if (one.type === "MemberExpression" && isPrivate(one)) return path(one) || memberName(one);
    if (one.type === "Identifier" && one.parent.property !== one && PRIVATE.test(one.name)) return one.name;
  }
  const names = script === "create" ? ["user"] : [];
  return names.find((name) => node.type === "Identifier" && node.name === name && isParameter(context, node, main));
}

const isPrivate = (member) => /^configuration\./.test(path(member)) || (PRIVATE.test(memberName(member)) && memberName(member) !== "user");

/** The error that a driver gave: a catch's parameter, or a handler's first one called err or error. */
function isForeignError(tools, node) {
  if (node?.type !== "Identifier") return false;
  const definition = variableOf(tools.context, node)?.defs[0];
  if (definition?.type === "CatchClause") return true;
  // A handler's: what has a name is called by the script itself, with errors of its own.
  return definition?.type === "Parameter" && /^(Call|New)Expression$/.test(definition.node.parent.type) && /^(e|err|error)$/i.test(node.name);
}

/** What an argument may be: `error || new X()` is either of the two. */
const branches = (node) =>
  ({ LogicalExpression: () => [node.left, node.right], ConditionalExpression: () => [node.consequent, node.alternate] })[node?.type]?.().flatMap(branches) ?? [node];

/** `if (error instanceof ValidationError)`, `if (error.name === ...)`: an error of the script's own. */
const isKnownToBeOwn = (node, { visitorKeys }) =>
  [...ancestors(node)].some((one) => one.type === "IfStatement" && [...walk(one.test, visitorKeys)].some((part) => part.operator === "instanceof" || /^(e|err|error)\.name$/i.test(path(part))));

// What a driver's error has to say without words of its own.
const HARMLESS = /^(code|errno|name|number|status|statusCode)$/;
const isHarmless = ({ parent }) => parent.type === "MemberExpression" && HARMLESS.test(memberName(parent).replace(/^response$/, "status"));

const PASSED_ON = "The error of the driver is passed on as it is; it may name hosts, tables or values.";

function judgeText(tools, node) {
  const plain = path(node.callee) === "Error";
  const message = node.arguments[plain ? 0 : 1];
  if (isNothing(message)) return void (plain && tools.report(node, "The error has no text."));
  for (const one of walk(message, tools.visitorKeys)) {
    if (one.type !== "Identifier" || one.parent.property === one || isHarmless(one)) continue;
    if (isParameter(tools.context, one, tools.main) || isForeignError(tools, one)) {
      return tools.report(node, `The text of the error carries ${one.name}.`);
    }
  }
}

const CDB46 = rule((tools) => ({
  CallExpression(node) {
    const foreign = tools.isCallback(node) && branches(node.arguments[0]).some((one) => isForeignError(tools, one));
    if (foreign && !isKnownToBeOwn(node, tools)) tools.report(node, PASSED_ON);
    if (methodName(node) === "catch" && node.arguments.some((one) => tools.references.has(one))) tools.report(node, PASSED_ON);
  },
  NewExpression: (node) => /Error$/.test(path(node.callee)) && judgeText(tools, node),
}));

module.exports = { CDB19, CDB21, CDB22, CDB23, CDB24, CDB25, CDB46 };
