// What the callback is given: profiles, and the error or value that each script owes.
"use strict";

const { rule } = require("../rule");
const { ancestors, assignedFields, callbackName, isFunction, isNothing, isText, keyName, memberName, path, property, resolve, variableOf, walk } = require("../ast");

// The thing itself, not what is said about it: `password_changed_at`, `has_password`.
const SECRET_FIELD = /(password|passwd|pwd|hash|secret|salt|pin_?code|security_?answer)(_?(hash|salt|digest|md5|sha\d*|plain|text))?$/i;
const ABOUT_A_SECRET = /^(has|is|no|needs?|must|requires?|force|last)[_A-Z]/;
const isSecret = (name) => SECRET_FIELD.test(name) && !ABOUT_A_SECRET.test(name.split(".").at(-1));
const NOT_FOUND = /not\s*found|no (such )?user|unknown|does not exist|doesn't exist/i;
const WRONG = new RegExp(
  [
    /(wrong|invalid|incorrect|bad|unknown)\s+(user|e-?mail|login|pass|credential)/,
    /(password|credentials?|user(name)?|e-?mail)\s+(is |are |was |does |did )?(not |n't )?(wrong|invalid|incorrect|match|found|exist|unknown)/,
    /no (such )?user/,
  ].map((one) => one.source).join("|"),
  "i",
);
const EXISTS = /exist|duplicate|already|taken/i;

const errorOf = (node) => (node?.type === "NewExpression" ? path(node.callee) : "");
const messageOf = (node) => node.arguments.filter(isText).map((one) => one.value).join(" ");

/** The profiles that a script gives: objects, or what a row becomes unseen. */
function profileOf(tools, call) {
  if (!tools.isCallback(call) || call.arguments.length < 2 || !isNothing(call.arguments[0])) return undefined;
  return resolve(tools.context, call.arguments[1]);
}

/** A script that only says "nobody": how a finished migration ends. */
const isStub = (tools) => {
  const body = tools.main?.body.body;
  const only = body?.length === 1 ? (body[0].argument ?? body[0].expression) : undefined;
  return only?.type === "CallExpression" && tools.isCallback(only) && only.arguments.every(isNothing);
};

const hasField = (tools, call, name) => property(profileOf(tools, call), name) || assignedFields(tools.context, call.arguments[1]).includes(name);
const hasSpread = (object) => object.properties.some((one) => one.type === "SpreadElement");

/** Given by a function of the script itself, `findUser(email, (error, user) => ...)`: it may have made a profile. */
function isFromOwnFunction(context, identifier) {
  const { type, node } = variableOf(context, identifier)?.defs[0] ?? {};
  const callee = type === "Parameter" && node.parent.type === "CallExpression" ? node.parent.callee : undefined;
  if (callee?.type !== "Identifier") return false;
  return variableOf(context, callee)?.defs[0]?.type === "FunctionName" || isFunction(resolve(context, callee));
}

/** rows[0], result.rows[0], row: the whole record, whatever columns it has. */
const isWholeRow = (context, node) =>
  (node?.type === "MemberExpression" && node.computed && /rows|result|recordset|users/i.test(path(node.object))) ||
  (node?.type === "Identifier" && /^(row|user|result|doc|document|record)$/i.test(node.name) && !isFromOwnFunction(context, node));

const PROFILES = { scripts: ["login", "get_user"] };

const CDB29 = rule(
  (tools) => ({
    CallExpression(call) {
      const profile = profileOf(tools, call);
      if (profile?.type !== "ObjectExpression" || hasSpread(profile)) return;
      if (!hasField(tools, call, "user_id") && !hasField(tools, call, "id")) tools.report(profile, "The profile has no user_id.");
    },
  }),
  PROFILES,
);

const CDB31 = rule(
  (tools) => ({
    CallExpression(call) {
      const id = property(profileOf(tools, call), "user_id")?.value;
      const prefixed = id && (id.type === "TemplateLiteral" || (id.type === "BinaryExpression" && id.operator === "+"));
      if (id && !prefixed && (path(id) || id.type === "CallExpression")) {
        tools.report(id, "The user_id carries no name of the connection.");
      }
    },
  }),
  PROFILES,
);

const removeProperty = (context, one) => (fixer) => {
  const after = context.sourceCode.getTokenAfter(one);
  return fixer.removeRange([one.range[0], after.value === "," ? after.range[1] : one.range[1]]);
};

const CDB32 = rule(
  (tools) => ({
    CallExpression(call) {
      const profile = profileOf(tools, call);
      if (isWholeRow(tools.context, profile)) return tools.report(call, "The whole record becomes the profile, with whatever it holds.");
      if (profile?.type !== "ObjectExpression") return;
      for (const one of profile.properties) {
        if (one.type === "SpreadElement") tools.report(one, "A whole record is copied into the profile.");
        else if (isSecret(keyName(one))) tools.report(one, `The profile carries ${keyName(one)}.`, removeProperty(tools.context, one));
        else if (isSecret(path(one.value))) tools.report(one, `The profile carries ${path(one.value)}.`, removeProperty(tools.context, one));
      }
    },
  }),
  PROFILES,
);

const CDB33 = rule(
  (tools) => ({
    CallExpression(call) {
      if (!tools.isCallback(call) || isStub(tools)) return;
      const [first, second] = call.arguments;
      const identifier = tools.main.params[0]?.name ?? "null";
      const mend = (fixer) => fixer.replaceText(call, `${callbackName(tools.main)}(new WrongUsernameOrPasswordError(${identifier}))`);
      const empty = isNothing(second) || (second.type === "Literal" && second.value === false);
      if (isNothing(first) && empty) tools.report(call, "login says that all is well and gives no profile.", mend);
      if (errorOf(first) === "Error" && WRONG.test(messageOf(first))) tools.report(call, "Wrong credentials are reported as a fault of the system.", mend);
      if (errorOf(first) === "ValidationError") tools.report(call, "Wrong credentials are reported as a ValidationError.", mend);
    },
  }),
  { scripts: ["login"] },
);

const CDB34 = rule(
  (tools) => ({
    "NewExpression[callee.name='WrongUsernameOrPasswordError']"(node) {
      if (!node.arguments.length) tools.report(node, "The error does not say whether the user exists.");
    },
  }),
  { scripts: ["login"] },
);

const ERROR_NAME = /^(e|err|error)$/i;

/** `err`, `err != null`, `err || !row`: true whenever there was an error, whatever else. */
function isTrueForErrors(test) {
  if (test.type === "LogicalExpression") return test.operator === "||" && [test.left, test.right].some(isTrueForErrors);
  if (test.type === "BinaryExpression") return /^!==?$/.test(test.operator) && isNothing(test.right) && ERROR_NAME.test(path(test.left));
  return ERROR_NAME.test(path(test));
}

/** `if (error.status === 404)`: what kind of error it was has been asked. */
const asksWhich = (test, visitorKeys) =>
  [...walk(test, visitorKeys)].some((one) => one.type === "MemberExpression" && /^(e|err|error)\./i.test(path(one)) || one.operator === "instanceof");

/** Where any error at all is being handled: a catch block, or `if (err)`. */
function handlesError({ visitorKeys }, node) {
  for (let one = node; one.parent; one = one.parent) {
    const { parent } = one;
    if (parent.type === "IfStatement" && parent.consequent === one) {
      if (isTrueForErrors(parent.test)) return true;
      if (asksWhich(parent.test, visitorKeys)) return false;
    }
    if (one.type === "CatchClause") return true;
    if (isFunction(one) && parent.type === "CallExpression" && parent.callee.property?.name === "catch") return true;
  }
  return false;
}

const CDB35 = rule(
  (tools) => ({
    CallExpression(call) {
      if (!tools.isCallback(call)) return;
      const [first] = call.arguments;
      const mend = (fixer) => fixer.replaceText(call, `${callbackName(tools.main)}(null)`);
      const named = ["WrongUsernameOrPasswordError", "ValidationError"].includes(errorOf(first));
      if (named || (errorOf(first) === "Error" && NOT_FOUND.test(messageOf(first)))) {
        tools.report(call, "A user who does not exist is reported as an error.", mend);
      }
      if (isNothing(first) && isNothing(call.arguments[1]) && handlesError(tools, call)) {
        tools.report(call, "An error is reported as \"not found\"; Auth0 would create the user again.");
      }
    },
  }),
  { scripts: ["get_user"] },
);

/** A callback that can only mean a refusal, as in a create that says "Sign up in the shop, please." */
const isRefusal = (callee) => callee.parent.callee === callee && errorOf(callee.parent.arguments[0]) !== "";

const CDB36 = rule(
  (tools) => {
    let told = false;
    return {
      NewExpression(node) {
        if (errorOf(node) !== "ValidationError") return;
        const [code] = node.arguments;
        told = true;
        if (isText(code) && code.value !== "user_exists" && EXISTS.test(`${code.value} ${messageOf(node)}`)) {
          tools.report(code, `The code is "${code.value}".`, (fixer) => fixer.replaceText(code, "'user_exists'"));
        }
      },
      CallExpression(call) {
        const [first] = call.arguments;
        if (!tools.isCallback(call) || errorOf(first) !== "Error" || !EXISTS.test(messageOf(first))) return;
        told = true;
        const text = tools.context.sourceCode.getText(first.arguments[0]);
        tools.report(first, "An existing user is reported as a fault of the system.", (fixer) => fixer.replaceText(first, `new ValidationError('user_exists', ${text})`));
      },
      "Program:exit"() {
        const creates = ![...tools.references].every((one) => isRefusal(one));
        if (!told && tools.main && creates) tools.report(tools.main, "No path says that the user already exists.");
      },
    };
  },
  { scripts: ["create"] },
);

const CDB37 = rule(
  (tools) => ({
    CallExpression(call) {
      if (!tools.isCallback(call) || !isNothing(call.arguments[0])) return;
      if (call.arguments.length < 2 || isNothing(call.arguments[1])) tools.report(call, "The answer does not say whether the password was changed.");
      else if (isText(call.arguments[1])) tools.report(call.arguments[1], "The answer must be true, false or { last_password_reset }.");
    },
  }),
  { scripts: ["change_password"] },
);

const CDB38 = rule(
  (tools) => ({
    CallExpression(call) {
      if (tools.script !== "verify") {
        const profile = profileOf(tools, call);
        const open = profile?.type !== "ObjectExpression" || hasSpread(profile);
        if (!open && !hasField(tools, call, "email_verified")) tools.report(profile, "The profile has no email_verified.");
        return;
      }
      if (!tools.isCallback(call) || !isNothing(call.arguments[0]) || handlesError(tools, call)) return;
      if (isNothing(call.arguments[1])) {
        const mend = (fixer) => fixer.replaceText(call, `${callbackName(tools.main)}(null, true)`);
        tools.report(call, "verify must answer true.", mend);
      }
    },
  }),
  { scripts: ["verify", "login", "get_user"] },
);

const isConfiguration = (context, node) => path(resolve(context, node)) === "configuration";
const settingName = (context, node) => (isConfiguration(context, node.object) ? memberName(node) : "");

/** `configuration[name]`, `connect(configuration)`: any setting may be read there. */
const isOpen = (node) => node.type === "Identifier" && node.name === "configuration" && !isNamed(node);
const isNamed = (node) => (node.parent.type === "MemberExpression" && memberName(node.parent) !== "") || node.parent.type === "VariableDeclarator";

/** What the connection's own rules need to know about a script; open: which settings it reads can't be told. */
function factsOf(tools) {
  const facts = { settings: [], fields: null, open: false };
  for (const node of walk(tools.program, tools.visitorKeys)) {
    facts.open ||= isOpen(node);
    const name = node.type === "MemberExpression" ? settingName(tools.context, node) : "";
    if (name) facts.settings.push({ name, line: node.loc.start.line, column: node.loc.start.column + 1 });
    if (node.type === "VariableDeclarator" && isConfiguration(tools.context, node.init) && node.id.type === "ObjectPattern") {
      for (const one of node.id.properties) facts.settings.push({ name: keyName(one), line: one.loc.start.line, column: one.loc.start.column + 1 });
    }
    const profile = node.type === "CallExpression" ? profileOf(tools, node) : undefined;
    if (profile?.type === "ObjectExpression" && profile.properties.every((one) => one.type === "Property")) {
      facts.fields = [...profile.properties.map(keyName), ...assignedFields(tools.context, node.arguments[1])];
    }
  }
  return facts;
}

module.exports = { CDB29, CDB31, CDB32, CDB33, CDB34, CDB35, CDB36, CDB37, CDB38, factsOf };
