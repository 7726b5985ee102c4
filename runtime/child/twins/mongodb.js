// The npm module `mongodb` before its version 5: every call also takes a callback, and some have their old names.
"use strict";

const { installed } = require("../modules");

const real = installed("mongodb");
const CLASSES = ["MongoClient", "Db", "Collection", "AbstractCursor"];
// Functions that are given to these are no callbacks of a result.
const TAKES_A_FUNCTION = /^(on|once|off|addListener|removeListener|prependListener|map|forEach|stream|withSession|withTransaction|transform)$/;
const isOurs = (value) => CLASSES.some((name) => value instanceof real[name]);

const OLD_NAMES = {
  insert: (collection, given, options) => (Array.isArray(given) ? collection.insertMany(given, options) : collection.insertOne(given, options)),
  update: (collection, which, change, options) => (options?.multi ? collection.updateMany(which, change, options) : collection.updateOne(which, change, options)),
  remove: (collection, which, options) => (options?.single ? collection.deleteOne(which, options) : collection.deleteMany(which, options)),
};

function call(target, method, given) {
  const callback = typeof given.at(-1) === "function" ? given.at(-1) : undefined;
  if (!callback) return wrapped(method(...given));
  const work = new Promise((resolve) => resolve(method(...given.slice(0, -1))));
  // A turn later: what the callback throws is its own fault, and no failure of the work.
  work.then((value) => setImmediate(callback, null, wrapped(value)), (error) => setImmediate(callback, error));
}

/** The same object, whose methods also take callbacks. */
function wrapped(value) {
  if (value instanceof Promise) return value.then(wrapped);
  return isOurs(value) ? new Proxy(value, { get: member }) : value;
}

function member(target, name) {
  const old = target instanceof real.Collection && Object.hasOwn(OLD_NAMES, name) ? OLD_NAMES[name] : undefined;
  const value = target[name];
  if (old) return (...given) => call(target, (...rest) => old(target, ...rest), given);
  if (typeof value !== "function") return wrapped(value);
  const method = value.bind(target);
  return TAKES_A_FUNCTION.test(name) ? method : (...given) => call(target, method, given);
}

class MongoClient extends real.MongoClient {
  constructor(...given) {
    super(...given);
    return wrapped(this);
  }
  static connect(address, ...given) {
    const callback = typeof given.at(-1) === "function" ? given.pop() : undefined;
    const client = new MongoClient(address, ...given);
    return callback ? void client.connect(callback) : client.connect();
  }
}

module.exports = { ...real, MongoClient };
