// Custom database scripts: the callback contract, the error classes, configuration and global.
"use strict";

const { evaluate, installed } = require("./modules");
const { describe } = require("./errors");

const FILE = "script.js";
const { setTimeout, setImmediate } = globalThis;

// The names in Auth0's documentation and templates, per script.
const NAMES = {
  login: ["login"],
  get_user: ["getUser", "getByEmail"],
  create: ["create"],
  change_password: ["changePassword"],
  verify: ["verify"],
  delete: ["deleteUser", "remove"],
  change_email: ["changeEmail"],
  change_username: ["changeUsername"],
  change_phone_number: ["changePhoneNumber"],
};

class WrongUsernameOrPasswordError extends Error {
  constructor(identifier, message = "Wrong email or password.") {
    super(message);
    Object.assign(this, { name: "WrongUsernameOrPasswordError", code: "invalid_user_password", identifier });
  }
}

class ValidationError extends Error {
  constructor(code, message = code) {
    super(message);
    Object.assign(this, { name: "ValidationError", code });
  }
}

class UnauthorizedError extends Error {
  constructor(message = "Unauthorized") {
    super(message);
    Object.assign(this, { name: "UnauthorizedError", code: "unauthorized" });
  }
}

function define(name, value) {
  Object.defineProperty(globalThis, name, { value, writable: false, enumerable: true, configurable: false });
}

/** Names of the functions that stand at the top of the script, or "" for one that has none. */
function functionNames(code) {
  const { parse } = installed("acorn");
  const names = [];
  for (const node of parse(code, { ecmaVersion: "latest", allowReturnOutsideFunction: true }).body) {
    if (node.type === "FunctionDeclaration") names.push(node.id.name);
    for (const { id, init } of node.declarations ?? []) {
      if (/Function/.test(init?.type ?? "") && id.type === "Identifier") names.push(id.name);
    }
  }
  return names;
}

/** Without the spaces and comments at the beginning; each step looks at one of them alone. */
function withoutComments(code) {
  let rest = code.trimStart();
  for (let end; rest.startsWith("//") || rest.startsWith("/*"); rest = rest.slice(end).trimStart()) {
    const close = rest.startsWith("//") ? rest.indexOf("\n") : rest.indexOf("*/", 2);
    if (close < 0) return "";
    end = close + (rest.startsWith("//") ? 1 : 2);
  }
  return rest;
}

function load(code, script, doubles) {
  const extra = { "node-fetch": fetch };
  for (const [name, source] of Object.entries(doubles)) extra[name] = evaluate(source, `${name}.js`).exports;
  const anonymous = /^(async\s+)?(function\s*\*?\s*\(|\()/.test(withoutComments(code));
  if (anonymous) return evaluate("", FILE, { tail: `\n${code.trim().replace(/;+$/, "")}\n`, extra }).value;
  evaluate(`if (false) {${code}\n}`, FILE); // a syntax error in V8's own words, before acorn sees the code
  const names = functionNames(code);
  const name = names.find((one) => NAMES[script].includes(one)) ?? names[0];
  return name ? evaluate(code, FILE, { tail: name, extra }).value : undefined;
}

const loaded = new Map(); // the scripts of one connection may share this process, as they share a container

function prepare({ code, script, configuration, doubles }) {
  const key = `${script}\n${code}`;
  if (loaded.size === 0) defineGlobals(configuration);
  if (!loaded.has(key)) loaded.set(key, load(code, script, doubles ?? {}));
  if (typeof loaded.get(key) !== "function") throw new SyntaxError("The script declares no function.");
  return loaded.get(key);
}

function defineGlobals(configuration) {
  if (Object.hasOwn(globalThis, "configuration")) return;
  for (const [name, value] of Object.entries({ WrongUsernameOrPasswordError, ValidationError, UnauthorizedError })) {
    define(name, value);
  }
  define("configuration", Object.freeze({ ...configuration }));
}

/** At most this long: where nothing is left that could still happen, the timer keeps nobody. */
const wait = (milliseconds) =>
  new Promise((done) => (milliseconds ? setTimeout(done, milliseconds).unref() : setImmediate(done)));

/** `facts` is filled as things happen, so that it tells the truth also when the script never ends. */
async function run(request, facts) {
  const script = prepare(request);
  Object.assign(facts, { callbacks: 0, answer: null, late: null });
  const given = request.context === null ? request.arguments : [...request.arguments, request.context];
  await new Promise((resolve, reject) => {
    const callback = (error, value) => {
      facts.callbacks += 1;
      if (facts.callbacks > 1) return;
      facts.answer = answer(error, value);
      resolve();
    };
    const failed = (error) => (facts.callbacks ? (facts.late = describe(error, FILE)) : reject(error));
    try {
      Promise.resolve(script(...given, callback)).catch(failed);
    } catch (error) {
      failed(error);
    }
  });
  await wait(request.linger_ms); // what the script still does after its answer: a second callback, an error
}

function answer(error, value) {
  if (error) return { error: { identifier: null, ...describe(error, FILE) }, value: null };
  try {
    return { error: null, value: JSON.parse(JSON.stringify(value ?? null)) };
  } catch (problem) {
    const message = `The value given to the callback can't be sent as JSON: ${problem.message}`;
    return { error: { name: "TypeError", message, stack: "" }, value: null };
  }
}

module.exports = { run, FILE };
