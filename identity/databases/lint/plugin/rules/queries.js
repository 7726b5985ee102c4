// Statements and documents that are asked for.
"use strict";

const { rule } = require("../rule");
const { isParameter, isText, keyName, methodName, path, resolve, variableOf, walk } = require("../ast");

const SQL = /\b(select\b[\s\S]*\bfrom|insert\s+into|update\b[\s\S]*\bset|delete\s+from|merge\s+into|exec(ute)?\s+\w+)\b/i;
const RUNS = /^(query|execute|raw|run|all|get|batch|simpleQuery)$/;

/** The parts of a text that is put together: literals and what stands between them. */
function parts(node) {
  if (node.type === "TemplateLiteral") {
    return node.quasis.flatMap((quasi, index) => [quasi.value.cooked, ...(node.expressions[index] ? [node.expressions[index]] : [])]);
  }
  if (node.type === "BinaryExpression" && node.operator === "+") return [...parts(node.left), ...parts(node.right)];
  if (node.type === "CallExpression" && methodName(node) === "concat" && node.callee.object) {
    return [...parts(node.callee.object), ...node.arguments.flatMap(parts)];
  }
  return isText(node) ? [node.value] : [node];
}

const ESCAPES = /^(escape|escapeId|escapeLiteral|escapeIdentifier|Number|parseInt|parseFloat)$/;

// What a person outside can't choose: constants of the script, its settings, numbers, and what was escaped.
const OWN = {
  Literal: () => true,
  TemplateLiteral: ({ expressions }, own) => expressions.every(own),
  ArrayExpression: ({ elements }, own) => elements.every(own),
  ObjectExpression: ({ properties }, own) => properties.every((one) => one.type === "Property" && !one.computed && own(one.value)),
  BinaryExpression: ({ left, right }, own) => own(left) && own(right),
  LogicalExpression: ({ left, right }, own) => own(left) && own(right),
  ConditionalExpression: ({ consequent, alternate }, own) => own(consequent) && own(alternate),
  MemberExpression: (node, own) => /^configuration\./.test(path(node)) || own(node.object),
  ArrowFunctionExpression: ({ body }, own) => own(body),
  CallExpression: (call, own) => ESCAPES.test(methodName(call)) || isKeys(call, own) || (call.callee.type === "MemberExpression" && ofMethod(call, own)),
};

const isKeys = (call, own) => /^Object\.(keys|values)$/.test(path(call.callee)) && call.arguments.every(own);

/** `COLUMNS.join(', ')`; and `values.map(() => '?')`, whatever the values are. */
const ofMethod = ({ callee, arguments: given }, own) => (given[0]?.type === "ArrowFunctionExpression" || own(callee.object)) && given.every(own);

function isOwn(context, node, seen = new Set()) {
  if (!node || seen.has(node)) return false;
  const own = (one) => isOwn(context, one, new Set(seen).add(node));
  if (node.type !== "Identifier") return OWN[node.type]?.(node, own) ?? false;
  const variable = variableOf(context, node);
  const [definition] = variable?.defs ?? [];
  if (definition?.type === "Parameter") return isOfMap(definition, own);
  return definition?.type === "Variable" && variable.references.every((one) => !one.isWrite() || one.init) && own(resolve(context, node));
}

/** What `map` gives its function: an element of its object, and a number. */
const isOfMap = ({ node: { parent, params }, name }, own) =>
  parent.type === "CallExpression" && methodName(parent) === "map" && (params[1] === name || (params[0] === name && own(parent.callee.object)));

/** Values that come from outside. */
const foreign = (context, pieces) => pieces.filter((piece) => typeof piece !== "string" && !isOwn(context, piece));

/** The statement as far as it can be read. */
function textOf(context, pieces) {
  return pieces.map((piece) => (typeof piece === "string" ? piece : readable(resolve(context, piece)))).join("");
}

const readable = (node) => (isText(node) ? node.value : " ? ");

/** pg alone, a simple `'...' + value + '...'` as the only argument: placeholders and a list of values. */
function parameterised(context, node, pieces) {
  const call = node.parent;
  if (!/require\(['"]pg(@[^'"]*)?['"]\)/.test(context.sourceCode.text)) return null;
  if (call.type !== "CallExpression" || methodName(call) !== "query" || call.arguments[0] !== node) return null;
  const second = call.arguments[1];
  if (second && !/Function/.test(second.type)) return null;
  const values = [];
  let text = "";
  for (const piece of pieces) {
    if (typeof piece === "string") text += values.length ? piece.replace(/^'/, "") : piece;
    else text = `${text.replace(/'$/, "")}$${values.push(context.sourceCode.getText(piece))}`;
  }
  if (/'/.test(text)) return null;
  return (fixer) => fixer.replaceText(node, `'${text.replace(/\n/g, "\\n")}', [${values.join(", ")}]`);
}

const CDB27 = rule(({ context, report, visitorKeys, main }) => ({
  "TemplateLiteral, BinaryExpression, CallExpression"(node) {
    if (node.parent.type === "TaggedTemplateExpression" || node.parent.type === "BinaryExpression") return;
    if (node.type === "CallExpression" && methodName(node) !== "concat") return;
    const pieces = parts(node);
    const values = foreign(context, pieces);
    if (!values.length || !SQL.test(textOf(context, pieces))) return;
    const shown = context.sourceCode.getText(values[0]).slice(0, 40);
    report(node, `The statement is put together with ${shown}.`, parameterised(context, node, pieces));
  },
  AssignmentExpression(node) {
    const built = node.operator === "+=" && foreign(context, parts(node.right)).length;
    const start = node.left.type === "Identifier" ? resolve(context, node.left) : null;
    if (built && start && isText(start) && SQL.test(start.value)) report(node, "The statement is put together with a value.");
  },
  Property(node) {
    if (["$where", "$function", "$accumulator"].includes(keyName(node))) report(node, `${keyName(node)} runs code in the database.`);
  },
  "CallExpression[callee.property.name=/^(findOne|find|updateOne|updateMany|deleteOne|deleteMany)$/]"(node) {
    for (const one of node.arguments[0] ? walk(node.arguments[0], visitorKeys) : []) {
      const parsed = one.type === "CallExpression" && path(one.callee) === "JSON.parse";
      if (parsed) report(one, "A query is read from text.");
    }
    const whole = node.arguments[0];
    if (whole?.type === "Identifier" && isParameter(context, whole, main)) report(whole, "A parameter is used as the whole query.");
  },
}));

const CDB39 = rule(
  ({ context, settings, report }) => ({
    "Literal, TemplateElement"(node) {
      const text = node.type === "Literal" ? node.value : node.value.raw;
      if (settings.import_mode && /\bdelete\s+from\b/i.test(text)) report(node, "login deletes from the old store.");
    },
    CallExpression(node) {
      const deletes = /^(deleteOne|deleteMany|findOneAndDelete|findAndRemove|remove|destroy)$/.test(methodName(node));
      // What is given tells a document or `{ where: ... }` from `request.destroy(new Error('time-out'))`.
      const which = resolve(context, node.arguments[0])?.type === "ObjectExpression";
      if (settings.import_mode && deletes && which) report(node, "login deletes from the old store.");
    },
  }),
  { scripts: ["login", "get_user"] },
);

module.exports = { CDB27, CDB39 };
