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

/** `a.b.c` -> "a.b.c"; anything else -> "". */
function path(node) {
  if (node?.type === "Identifier") return node.name;
  if (node?.type === "ChainExpression") return path(node.expression);
  if (node?.type !== "MemberExpression") return "";
  const name = node.computed ? (isText(node.property) ? node.property.value : "") : node.property.name;
  const object = path(node.object);
  return object && name ? `${object}.${name}` : "";
}

/** The name of a property or of the called method, also where the object is an expression. */
function methodName(call) {
  const { callee } = call;
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression") return "";
  return callee.computed ? (isText(callee.property) ? callee.property.value : "") : callee.property.name;
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

/** What a constant was initialised with; the node itself where that can't be told. */
function resolve(context, node) {
  if (node?.type === "AwaitExpression") return resolve(context, node.argument);
  if (node?.type !== "Identifier") return node;
  const definition = variableOf(context, node)?.defs[0];
  if (definition?.type !== "Variable" || !definition.node.init || definition.node.id.type !== "Identifier") return node;
  return resolve(context, definition.node.init);
}

/** Is this identifier one of the parameters of `main`, whatever it is called? */
function isParameter(context, identifier, main) {
  const definition = variableOf(context, identifier)?.defs[0];
  return definition?.type === "Parameter" && definition.node === main && identifier.name !== callbackName(main);
}

/** Is this call's outermost name a module of that name, or for fetch, the global itself? */
function isModule(context, callee, modules) {
  const [root] = path(callee).split(".");
  const from = resolve(context, { type: "Identifier", name: root, parent: callee.parent });
  const required = from?.type === "CallExpression" && path(from.callee) === "require" ? from.arguments[0]?.value : undefined;
  return required === undefined ? root === "fetch" && from?.type === "Identifier" : modules.test(required);
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

const hasSpread = (object) => object.properties.some((one) => one.type === "SpreadElement");

module.exports = {
  SIGNATURES, ancestors, callbackName, enclosingFunction, hasSpread, isFunction, isModule, isNothing, isParameter, isText, keyName,
  mainFunction, methodName, path, property, resolve, says, variableOf, walk,
};
