// Connections to databases: opened here, closed on every path.
"use strict";

const { rule } = require("../rule");
const { ancestors, enclosingFunction, isFunction, methodName, origin, path, variableOf, walk } = require("../ast");

const OPENS = /^(pg\.(Client|Pool)|mongodb\.MongoClient(\.connect)?|mssql\.(ConnectionPool|connect)|tedious\.(Connection|connect)|mysql2?\.create(Connection|Pool))$/;
const LENDS = /^pool\.(getConnection|connect)$/;
const CLOSES = /^(end|close|release|destroy|quit|disconnect)$/;

const within = (node, test) => [node, ...ancestors(node)].some(test);
const isFinally = (one) => (one.parent?.type === "TryStatement" && one.parent.finalizer === one) || (one.type === "CallExpression" && methodName(one) === "finally");
const isCatch = (one) => one.type === "CatchClause";

/** Closing calls in the script: what each closes ("" where mssql closes its only pool by the module), and where it is. */
function closings({ context, program, visitorKeys }) {
  const calls = [...walk(program, visitorKeys)].filter((one) => one.type === "CallExpression" && one.callee.type === "MemberExpression" && CLOSES.test(methodName(one)));
  return calls.map((one) => ({
    name: origin(context, one.callee) === "mssql.close" ? "" : path(one.callee.object),
    finally: within(one, isFinally),
    failed: within(one, isCatch),
  }));
}

/** In a finally, or both where it went well and where it failed. */
const onEveryPath = (closed) => closed.some((one) => one.finally) || (closed.some((one) => one.failed) && closed.some((one) => !one.failed));

/** The identifier that holds what is opened here, or undefined. */
function holder(node) {
  for (const one of ancestors(node)) {
    if (isFunction(one)) return undefined;
    if (one.type === "VariableDeclarator") return one.id.type === "Identifier" ? one.id : undefined;
    if (one.type === "AssignmentExpression") return one.left;
  }
  return undefined;
}

/** What others hold too can be closed under another name: returned, put away, given to a function. */
function isHandedOn(context, name) {
  const uses = name?.type === "Identifier" ? (variableOf(context, name)?.references ?? []) : [];
  return uses.some(({ identifier: one }) => one.parent.type === "ReturnStatement" || (one.parent.type === "CallExpression" && one.parent.callee !== one));
}

/** In global, at once or later: it lives as long as its container. */
function isKept(context, name) {
  if (/^global(This)?\./.test(path(name))) return true;
  const uses = name?.type === "Identifier" ? (variableOf(context, name)?.references ?? []) : [];
  return uses.some(({ identifier }) => identifier.parent.type === "AssignmentExpression" && identifier.parent.right === identifier && /^global/.test(path(identifier.parent.left)));
}

const CDB28 = rule((tools) => {
  const { context, report } = tools;
  const all = closings(tools);
  const judge = (node) => {
    const name = holder(node);
    if (isKept(context, name)) return;
    const anyName = !name || isHandedOn(context, name) || node.parent.type === "ReturnStatement";
    const closed = anyName ? all : all.filter((one) => one.name === "" || one.name === path(name));
    if (!closed.length) return report(node, "The connection is never closed.");
    if (enclosingFunction(node)?.async && !onEveryPath(closed)) report(node, "The connection stays open when something fails before it is closed.");
  };
  const opens = (node) => (OPENS.test(origin(context, node.callee)) || LENDS.test(path(node.callee))) && judge(node);
  return { NewExpression: opens, CallExpression: opens };
});

module.exports = { CDB28 };
