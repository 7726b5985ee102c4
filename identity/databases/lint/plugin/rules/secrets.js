// What must not stand in code, in global, in the log or in an error text; and how settings and modules are used.
"use strict";

const { isBuiltin } = require("node:module");

const { rule } = require("../rule");
const { enclosingFunction, isFunction, isNothing, isParameter, isText, keyName, methodName, path, says, variableOf, walk } = require("../ast");

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
  return dense && entropy(text) > 3.6 ? "looks like a key" : null;
}

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

/** Was global.x asked for before, in the same function? Then somebody thought about its first use. */
function isGuarded(node, name, { visitorKeys, program }) {
  if (["||=", "??="].includes(node.operator)) return true;
  for (const one of walk(enclosingFunction(node)?.body ?? program, visitorKeys)) {
    if (one.range[0] >= node.range[1]) continue;
    const test = { IfStatement: one.test, ConditionalExpression: one.test, LogicalExpression: one.left }[one.type];
    if (test && [...walk(test, visitorKeys)].some((part) => path(part) === name)) return true;
  }
  return false;
}

const CDB22 = rule((tools) => {
  const tokens = [];
  return {
    AssignmentExpression(node) {
      const name = path(node.left).split(".").slice(0, 2).join(".");
      if (!/^(global|globalThis)\./.test(name)) return;
      if (!isGuarded(node, name, tools)) tools.report(node, `${name} is set without asking whether it is there.`);
      if (/token/i.test(name)) tokens.push(node);
    },
    "Program:exit"() {
      if (tokens.length && !says(tools.program, tools.visitorKeys, /expir|ttl|^now$/i)) {
        tools.report(tokens[0], "A token is kept without an end.");
      }
    },
  };
});

const CDB23 = rule((tools) => ({
  AssignmentExpression(node) {
    if (!/^(global|globalThis)\./.test(path(node.left))) return;
    for (const one of walk(node.right, tools.visitorKeys)) {
      const isUser = one.type === "Identifier" && one.parent.property !== one && (isParameter(tools.context, one, tools.main) || /^(user|row|rows|profile|email)$/i.test(one.name));
      if (isUser) return tools.report(node, `Data of a user (${one.name}) is kept in ${path(node.left)}.`);
    }
  },
}));

const CANIREQUIRE = new Set([
  "argon2", "async", "auth0", "aws-sdk", "axios", "azure-storage", "bcrypt", "bcryptjs", "bluebird", "cassandra-driver",
  "couchbase", "crypto-js", "express-jwt", "firebase-admin", "got", "ioredis", "jose", "jsonwebtoken", "jwks-rsa", "knex",
  "ldapjs", "lodash", "lru-cache", "lru-memoizer", "memcached", "moment", "mongodb", "mongoose", "mssql", "mysql", "mysql2",
  "nano", "needle", "node-fetch", "oracledb", "pbkdf2", "pg", "promise", "qs", "querystring", "ramda", "redis", "request",
  "request-promise", "rethinkdb", "scrypt", "scrypt-js", "sequelize", "soap", "sqlstring", "superagent", "tedious",
  "underscore", "uuid", "xml2js", "xmldom",
]);

const CDB24 = rule(({ report }) => ({
  'CallExpression[callee.name="require"]'(node) {
    const [argument] = node.arguments;
    if (!isText(argument)) return report(node, "The name of the module is not a plain string.");
    const [, name, pin] = /^((?:@[^/@]+\/)?[^/@]*)(?:@([^/]+))?/.exec(argument.value);
    if (isBuiltin(argument.value.replace(/@[^/]+/, "")) || isBuiltin(name)) return;
    if (!CANIREQUIRE.has(name)) report(argument, `${argument.value} is not among the modules known to be at Auth0.`);
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

/** A whole user, a password or a token; `user.id` or `rows.length` alone is neither. */
function privateIn(node, { visitorKeys, main, context, script }) {
  for (const one of walk(node, visitorKeys)) {
    if (one.type === "MemberExpression" && PRIVATE.test(one.property.name) && one.property.name !== "user") return path(one) || one.property.name;
    if (one.type !== "Identifier" || one.parent.property === one || !PRIVATE.test(one.name)) continue;
    const narrowed = one.parent.type === "MemberExpression" && one.parent.object === one;
    if (!narrowed) return one.name;
  }
  const names = script === "create" ? ["user"] : [];
  return names.find((name) => node.type === "Identifier" && node.name === name && isParameter(context, node, main));
}

/** The error that a driver gave: a catch's parameter, or a handler's first one called err or error. */
function isForeignError(tools, node) {
  if (node?.type !== "Identifier") return false;
  const definition = variableOf(tools.context, node)?.defs[0];
  if (definition?.type === "CatchClause") return true;
  return definition?.type === "Parameter" && isFunction(definition.node) && definition.node !== tools.main && /^(e|err|error)$/i.test(node.name);
}

const CDB46 = rule((tools) => ({
  CallExpression(node) {
    if (tools.isCallback(node) && isForeignError(tools, node.arguments[0])) {
      tools.report(node, "The error of the driver is passed on as it is; it may name hosts, tables or values.");
    }
    for (const one of node.arguments) {
      const handed = tools.references.has(one) && methodName(node) === "catch";
      if (handed) tools.report(node, "The error of the driver is passed on as it is; it may name hosts, tables or values.");
    }
  },
  NewExpression(node) {
    if (!/Error$/.test(path(node.callee))) return;
    const message = node.arguments[path(node.callee) === "Error" ? 0 : 1];
    if (isNothing(message)) {
      if (path(node.callee) === "Error") tools.report(node, "The error has no text.");
      return;
    }
    for (const one of walk(message, tools.visitorKeys)) {
      if (one.type !== "Identifier" || one.parent.property === one) continue;
      if (isParameter(tools.context, one, tools.main) || isForeignError(tools, one)) {
        return tools.report(node, `The text of the error carries ${one.name}.`);
      }
    }
  },
}));

module.exports = { CDB19, CDB21, CDB22, CDB23, CDB24, CDB25, CDB46 };
