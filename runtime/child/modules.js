// `require` for tenant code: Node's own modules and the packages that are installed beside the product.
"use strict";

const path = require("node:path");
const { createRequire, isBuiltin } = require("node:module");
const vm = require("node:vm");

const installed = createRequire(path.join(__dirname, "..", "..", "package.json"));
// A twin of the same interface answers where a module is a native addon (closed here, and slow to build), or has a
// successor, or has lost what its older versions had: module -> for which pins.
const TWINS = { argon2: () => true, bcrypt: () => true, mysql: () => true, mongodb: (pin) => !(parseInt(pin, 10) >= 5) };
const hasTwin = (name, pin) => Object.hasOwn(TWINS, name) && TWINS[name](pin);

/** `pg@8.11.3` -> ["pg", "8.11.3"], `@scope/name@1.0.0/file` -> ["@scope/name/file", "1.0.0"]. */
function withoutPin(name) {
  const [, module, pin, file = ""] = /^((?:@[^/@]+\/)?[^/@]+)(?:@([^/]+))?(\/[^]*)?$/.exec(name) ?? [name, name];
  return [module + file, pin];
}

function requireFor(extra) {
  return function require(name) {
    if (typeof name !== "string" || name === "") throw new TypeError("The name of a module must be a string.");
    const [asked, pin] = withoutPin(name); // the installed version answers any pin
    if (Object.hasOwn(extra, asked)) return extra[asked];
    if (isBuiltin(asked)) return installed(asked);
    if (asked.startsWith(".") || path.isAbsolute(asked)) throw missing(name);
    try {
      return installed(hasTwin(asked, pin) ? path.join(__dirname, "twins", `${asked}.js`) : asked);
    } catch (error) {
      if (error.code === "MODULE_NOT_FOUND" && error.message.includes(`'${asked}'`)) throw missing(name);
      throw error;
    }
  };
}

function missing(name) {
  return Object.assign(new Error(`Cannot find module '${name}'`), { code: "MODULE_NOT_FOUND" });
}

/** Runs `code` as a CommonJS module named `file`; gives what it exports and what `tail`, an expression, is worth. */
function evaluate(code, file, { tail = "undefined", extra = {} } = {}) {
  const module = { exports: {} };
  const parameters = ["exports", "require", "module", "__filename", "__dirname"];
  const compiled = vm.compileFunction(`${code}\n;return (${tail});`, parameters, { filename: file });
  const value = compiled.call(module.exports, module.exports, requireFor(extra), module, file, ".");
  return { exports: module.exports, value };
}

module.exports = { evaluate, installed };
