// console and the standard streams, as Auth0 keeps them: short messages, a bounded number of them.
"use strict";

const { format } = require("node:util");

const LONGEST_MESSAGE = 256;
const MOST_MESSAGES = 200;

let messages = [];

function keep(text) {
  if (messages.length < MOST_MESSAGES) messages.push(text.slice(0, LONGEST_MESSAGE));
  else if (messages.length === MOST_MESSAGES) messages.push("(further messages dropped)");
}

function log(...parts) {
  keep(format(...parts));
}

/** Nothing that tenant code prints may reach a descriptor of this process. */
function swallow(chunk, encoding, done) {
  const callback = typeof encoding === "function" ? encoding : done;
  if (callback) process.nextTick(callback);
  return true;
}

function install() {
  for (const name of ["log", "info", "warn", "error", "debug", "trace", "dir"]) console[name] = log;
  for (const stream of ["stdout", "stderr"]) {
    Object.defineProperty(process, stream, { value: { write: swallow, end() {}, on() {}, isTTY: false } });
  }
}

function start() {
  messages = [];
  return messages;
}

module.exports = { install, start };
