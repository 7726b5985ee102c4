// What the rules ask about a script's syntax tree.
"use strict";

const SIGNATURES = {
  login: { names: ["login"], parameters: ["userNameOrEmail", "password"] },
  get_user: { names: ["getUser", "getByEmail"], parameters: ["email"] },
  create: { names: ["create"], parameters: ["user"] },
  change_password: { names: ["changePassword"], parameters: ["email", "newPassword"] },
  verify: { names: ["verify"], parameters: ["email"] },
  delete: { names: ["deleteUser", "remove"], parameters: ["id"] },
  change_email: { names: ["changeEmail"], parameters: ["email", "newEmail", "verified"] },
};

const isFunction = (node) => /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node?.type ?? "");
const isText = (node) => node?.type === "Literal" && typeof node.value === "string";
const isNothing = (node) =>
  !node || (node.type === "Literal" && node.value === null) || (node.type === "Identifier" && node.name === "undefined");

/** The function that Auth0 runs: one with a known name, else the first. */
function mainFunction(program, script) {
  const found = [];
  for (const node of program.body) {
    if (node.type === "FunctionDeclaration") found.push([node.id.name, node]);
    if (node.type === "ExpressionStatement" && isFunction(node.expression)) found.push(["", node.expression]);
    for (const { id, init } of node.declarations ?? []) if (isFunction(init)) found.push([id.name, init]);
  }
  const known = found.find(([name]) => SIGNATURES[script]?.names.includes(name));
  return (known ?? found[0])?.[1];
}

const callbackName = (main) => {
  const last = main?.params.at(-1);
  return last?.type === "Identifier" ? last.name : undefined;
};

/** The name of a member, "" where it is computed. */
const memberName = ({ computed, property }) => (computed ? (isText(property) ? property.value : "") : property.name);

/** `a.b.c` -> "a.b.c"; anything else -> "". */
function path(node) {
  if (node?.type === "Identifier") return node.name;
  if (node?.type === "ChainExpression") return path(node.expression);
  if (node?.type !== "MemberExpression") return "";
  const [object, name] = [path(node.object), memberName(node)];
  return object && name ? `${object}.${name}` : "";
}

/** The name of the called function or method, also where the object is an expression. */
function methodName({ callee }) {
  if (callee.type === "Identifier") return callee.name;
  return callee.type === "MemberExpression" ? memberName(callee) : "";
}

const keyName = (property) => property.key?.name ?? property.key?.value ?? "";

function* ancestors(node) {
  for (let one = node.parent; one; one = one.parent) yield one;
}

function enclosingFunction(node) {
  for (const one of ancestors(node)) if (isFunction(one)) return one;
  return null;
}

function* walk(node, visitorKeys) {
  yield node;
  for (const key of visitorKeys[node.type] ?? []) {
    for (const child of [node[key]].flat()) if (child?.type) yield* walk(child, visitorKeys);
  }
}

/** The variable that an identifier means, or null. */
function variableOf(context, identifier) {
  for (let scope = context.sourceCode.getScope(identifier.range ? identifier : identifier.parent); scope; scope = scope.upper) {
    const variable = scope.set.get(identifier.name);
    if (variable) return variable;
  }
  return null;
}

// Names of names of names: nobody goes further, and two may stand for each other.
const MOST_NAMES = 20;

/** What a variable was initialised with; the node itself where that can't be told. */
function resolve(context, node, names = MOST_NAMES) {
  if (node?.type === "AwaitExpression") return resolve(context, node.argument, names);
  if (node?.type !== "Identifier" || names === 0) return node;
  const definition = variableOf(context, node)?.defs[0];
  if (definition?.type !== "Variable" || !definition.node.init || definition.node.id.type !== "Identifier") return node;
  return resolve(context, definition.node.init, names - 1);
}

/** What is put into an object after it was made: `profile.user_id = ...` -> ["user_id"]. */
function assignedFields(context, identifier) {
  const references = identifier?.type === "Identifier" ? (variableOf(context, identifier)?.references ?? []) : [];
  const members = references.map((one) => one.identifier.parent).filter((one) => one.type === "MemberExpression");
  return members.filter((one) => one.parent.left === one).map(memberName);
}

/** Is this identifier one of the parameters of `main`, whatever it is called? */
function isParameter(context, identifier, main) {
  const definition = variableOf(context, identifier)?.defs[0];
  return definition?.type === "Parameter" && definition.node === main && identifier.name !== callbackName(main);
}

const PIN = /^((?:node:)?(?:@[^/@]+\/)?[^/@]+)[^]*$/;

/**
 * Where a name comes from: `pg.Client` for the Client of `const { Client } = require('pg@8.11.3')`, `fetch` for the
 * global; "" for what the script made itself.
 */
function origin(context, node, names = MOST_NAMES) {
  const from = (one) => origin(context, one, names - 1);
  if (!node || names === 0) return "";
  if (node.type === "MemberExpression") return from(node.object) && `${from(node.object)}.${memberName(node)}`.replace(/\.default$/, "");
  if (node.type === "CallExpression" && path(node.callee) === "require" && isText(node.arguments[0])) {
    return node.arguments[0].value.replace(PIN, "$1").replace("node:", "");
  }
  if (node.type !== "Identifier") return "";
  const variable = variableOf(context, node);
  if (!variable) return node.name;
  const { type, node: declaration, name } = variable.defs[0] ?? {};
  if (type !== "Variable" || !declaration.init) return "";
  if (declaration.id.type === "Identifier") return from(declaration.init);
  const key = declaration.id.properties?.find((one) => one.value === name);
  return key && from(declaration.init) ? `${from(declaration.init)}.${keyName(key)}` : "";
}

/** Does a name or a text of the code, not of its comments, match? */
function says(program, visitorKeys, pattern) {
  for (const node of walk(program, visitorKeys)) {
    const text = { Identifier: node.name, Literal: node.value, TemplateElement: node.value?.raw }[node.type];
    if (typeof text === "string" && pattern.test(text)) return true;
  }
  return false;
}

const property = (object, name) =>
  object?.type === "ObjectExpression"
    ? object.properties.find((one) => one.type === "Property" && keyName(one) === name)
    : undefined;

module.exports = {
  MOST_NAMES, SIGNATURES, ancestors, assignedFields, callbackName, enclosingFunction, isFunction, isNothing, isParameter, isText,
  keyName, mainFunction, memberName, methodName, origin, path, property, resolve, says, variableOf, walk,
};
