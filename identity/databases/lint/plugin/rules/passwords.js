// Passwords: hashed with a library, compared by it, never kept or sought as they were typed.
"use strict";

const { rule } = require("../rule");
const { ancestors, assignedFields, isFunction, isParameter, isText, methodName, path, property, resolve, walk } = require("../ast");

const TYPED = /^(password|newPassword|(user|profile)\.password)$/;
const STORES = /^(query|execute|input|insert(One|Many)?|update(One|Many)?|replaceOne|save|run)$/;
// The database itself hashes what it is given.
const HASHED_THERE = /\b(crypt|pwdcompare|pwdencrypt|hashbytes)\s*\(/i;

/** `password.trim()` is the password still. */
function bare(node) {
  const trims = node.type === "CallExpression" && node.callee.type === "MemberExpression" && /^(trim|toString|normalize|toLowerCase)$/.test(methodName(node));
  return trims ? bare(node.callee.object) : node;
}

/** `sha1(password + salt)` */
const isHashOfTyped = (side, visitorKeys) => side.type === "CallExpression" && [...walk(side, visitorKeys)].some((one) => TYPED.test(path(one)));

function judgeComparison({ report, warn, visitorKeys }, node) {
  const sides = [node.left, node.right];
  const names = sides.map((one) => path(bare(one)));
  const judged = sides.every((one, number) => names[number] || one.type === "CallExpression") && !names.includes("undefined");
  const other = sides.some((one, number) => /(password|hash|pwd|passwd)\w*$/i.test(names[number]) || one.type === "CallExpression");
  if (!judged || !other) return;
  if (names.some((one) => TYPED.test(one))) report(node, "Passwords are compared with an operator.");
  else if (names.some((one) => /hash$/i.test(one)) || sides.some((one) => isHashOfTyped(one, visitorKeys))) warn(node, "Hashes are compared with an operator; crypto.timingSafeEqual() takes the same time whatever they are.");
}

/** The call that a value goes to, if it writes into a database: createHash("sha256").update(password) does not. */
function storedBy(node, context) {
  const call = [...ancestors(node)].find((one) => one.type === "CallExpression" || isFunction(one));
  return call?.type === "CallExpression" && STORES.test(methodName(call)) && !isDigest(call, context) ? call : undefined;
}

function isDigest(call, context) {
  for (let made = resolve(context, call.callee.object); made?.type === "CallExpression"; made = resolve(context, made.callee.object)) {
    if (/^create(Hash|Hmac)$/.test(methodName(made))) return true;
  }
  return false;
}

/** The statement, or what a procedure is called by; a procedure looks after passwords itself. */
function isHashedThere(call, { context, program, visitorKeys }) {
  const [first] = call.arguments;
  const text = property(resolve(context, first), "text")?.value ?? first;
  if ([...walk(resolve(context, text), visitorKeys)].some((one) => HASHED_THERE.test(one.type === "TemplateElement" ? one.value.raw : one.value))) return true;
  const isProcedure = (one) => one.type === "CallExpression" && methodName(one) === "execute" && isText(one.arguments[0]) && /^[\w.[\]]+$/.test(one.arguments[0].value);
  return methodName(call) === "input" && [...walk(program, visitorKeys)].some(isProcedure);
}

/** The whole user of a sign-up, whose password nobody has exchanged: `users.insertOne(user)`. */
function isWholeUser({ context, script, main }, node) {
  if (script !== "create" || node.type !== "Identifier" || !isParameter(context, node, main)) return false;
  const spread = node.parent.type === "SpreadElement" && !property(node.parent.parent, "password");
  return (spread || node.parent.type === "CallExpression") && !assignedFields(context, node).includes("password");
}

function judgeStored(tools, node) {
  const used = node.parent.type === "MemberExpression" && node.parent.object === node;
  const whole = !used && isWholeUser(tools, node);
  if (used || !(whole || TYPED.test(path(node)))) return;
  const call = storedBy(node, tools.context);
  if (call && !isHashedThere(call, tools)) tools.report(node, "The password is stored or searched for as it was typed.");
}

/** createHash() of something that is no password: of an address, for a picture. */
function isOfSomethingElse(call, visitorKeys) {
  const update = call.parent.parent;
  if (update?.type !== "CallExpression" || methodName(update) !== "update") return false;
  return ![...walk(update.arguments[0] ?? update, visitorKeys)].some((one) => /pass|pwd|salt|secret/i.test(one.name ?? ""));
}

// [what hashes, which argument is its cost, the least that protects, what to take].
const COSTS = [
  [/^(hash|hashSync)$/, 1, 10, 12],
  [/^(genSalt|genSaltSync)$/, 0, 10, 12],
];

function judgeCost({ report }, node) {
  const [, position, least, better] = COSTS.find(([name]) => name.test(methodName(node))) ?? [];
  const cost = node.arguments[position];
  if (cost?.type !== "Literal" || typeof cost.value !== "number" || cost.value >= least) return;
  report(node, `A cost of ${cost.value} is too small for bcrypt; take ${least} or more.`, (fixer) => fixer.replaceText(cost, String(better)));
}

const CDB26 = rule((tools) => ({
  "BinaryExpression[operator=/^[!=]==?$/]": (node) => judgeComparison(tools, node),
  "Identifier, MemberExpression": (node) => judgeStored(tools, node),
  CallExpression(node) {
    const writes = ["create", "change_password"].includes(tools.script);
    const weak = writes && methodName(node) === "createHash" && !isOfSomethingElse(node, tools.visitorKeys);
    if (weak) tools.report(node, "A fast hash is no protection for a password.");
    judgeCost(tools, node);
  },
}));

module.exports = { CDB26 };
