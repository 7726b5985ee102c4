// Statements, passwords in them, and the connections they run on.
"use strict";

const { rule } = require("../rule");
const { ancestors, enclosingFunction, isParameter, isText, keyName, methodName, path, resolve, walk } = require("../ast");

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

/** Values that come from outside: everything but constants of the script and its settings. */
function foreign(context, pieces) {
  return pieces.filter((piece) => {
    if (typeof piece === "string") return false;
    const value = resolve(context, piece);
    return !(value.type === "Literal" || /^configuration\./.test(path(value)));
  });
}

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
    if (!values.length || !SQL.test(pieces.map((piece) => (typeof piece === "string" ? piece : " ? ")).join(""))) return;
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

const OPENS = /^(createConnection|createPool|MongoClient\.connect|mongodb\.MongoClient\.connect|(sql|mssql)\.connect|pool\.getConnection|pool\.connect)$/;
const CREATES = /^((pg|mongodb|sql|mssql|tedious)\.)?(Client|Pool|MongoClient|ConnectionPool|Connection)$/;
const CLOSES = /^(end|close|release|destroy|quit|disconnect)$/;

/** Closing calls in the script, each with the name of what it closes. */
function closings(program, visitorKeys) {
  const found = [];
  for (const node of walk(program, visitorKeys)) {
    if (node.type === "CallExpression" && CLOSES.test(methodName(node)) && node.callee.type === "MemberExpression") found.push(node);
  }
  return found;
}

const inFinally = (node) => {
  for (const one of ancestors(node)) {
    if (one.parent?.type === "TryStatement" && one.parent.finalizer === one) return true;
    if (one.type === "CallExpression" && methodName(one) === "finally") return true;
  }
  return false;
};

const CDB28 = rule(({ program, report, visitorKeys }) => {
  const judge = (node) => {
    const inGlobal = [...ancestors(node)].some((one) => one.type === "AssignmentExpression" && /^global/.test(path(one.left)));
    if (inGlobal) return;
    const name = [...ancestors(node)].find((one) => one.type === "VariableDeclarator")?.id.name;
    const closed = closings(program, visitorKeys).filter((one) => !name || path(one.callee.object) === name);
    if (!closed.length) return report(node, "The connection is never closed.");
    const waits = enclosingFunction(node)?.async;
    if (waits && !closed.some(inFinally)) report(node, "The connection stays open when something fails before it is closed.");
  };
  return {
    NewExpression: (node) => CREATES.test(path(node.callee)) && judge(node),
    CallExpression(node) {
      if (OPENS.test(path(node.callee)) || /^(mysql2?|promise)\.(createConnection|createPool)$/.test(path(node.callee))) judge(node);
    },
  };
});

const CDB39 = rule(
  ({ settings, report }) => ({
    Literal(node) {
      if (settings.import_mode && isText(node) && /\bdelete\s+from\b/i.test(node.value)) report(node, "login deletes from the old store.");
    },
    CallExpression(node) {
      const deletes = /^(deleteOne|deleteMany|findOneAndDelete|findAndRemove|remove|destroy)$/.test(methodName(node));
      if (settings.import_mode && deletes && node.arguments.length) report(node, "login deletes from the old store.");
    },
  }),
  { scripts: ["login", "get_user"] },
);

const isPlain = (node) => /^(newPassword|password|(user|profile)\.password)$/.test(path(node));
/** createHash("sha256").update(password) writes into no database. */
function isDigest(call, context) {
  for (let made = resolve(context, call.callee.object); made?.type === "CallExpression"; made = resolve(context, made.callee.object)) {
    if (/^create(Hash|Hmac)$/.test(methodName(made))) return true;
  }
  return false;
}

const isStored = (node, context) => {
  for (const one of ancestors(node)) {
    if (one.type === "CallExpression" && isDigest(one, context)) return false;
    if (one.type === "CallExpression") return /^(query|execute|input|insert(One|Many)?|update(One|Many)?|replaceOne|save|run)$/.test(methodName(one));
    if (/Function/.test(one.type)) return false;
  }
  return false;
};

const CDB26 = rule(({ context, script, report }) => {
  const judgeStored = (node) => {
    const used = node.parent.type === "MemberExpression" && node.parent.object === node;
    if (!used && isPlain(node) && isStored(node, context)) report(node, "The password is stored or searched for as it was typed.");
  };
  return {
    BinaryExpression(node) {
      if (!/^[!=]==?$/.test(node.operator)) return;
      const sides = [node.left, node.right];
      const given = sides.some((one) => /^(password|newPassword|user\.password)$/.test(path(one)) || /hash$/i.test(path(one)));
      const other = sides.some((one) => /(password|hash|pwd|passwd)\w*$/i.test(path(one)) || one.type === "CallExpression");
      const both = sides.every((one) => path(one) || one.type === "CallExpression") && !sides.some((one) => path(one) === "undefined");
      if (given && other && both) report(node, "Passwords are compared with an operator.");
    },
    Identifier: judgeStored,
    MemberExpression: judgeStored,
    CallExpression(node) {
      const weak = /^(createHash)$/.test(methodName(node)) && ["create", "change_password"].includes(script);
      if (weak) report(node, "A fast hash is no protection for a password.");
      const cheap = methodName(node) === "hash" && node.arguments[1]?.type === "Literal" && node.arguments[1].value < 10;
      if (cheap) report(node, `A cost of ${node.arguments[1].value} is too small for bcrypt; take 10 or more.`, (fixer) => fixer.replaceText(node.arguments[1], "12"));
    },
  };
});

module.exports = { CDB26, CDB27, CDB28, CDB39 };
