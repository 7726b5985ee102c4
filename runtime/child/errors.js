// What a thrown value looks like as data.
"use strict";

const LONGEST_MESSAGE = 2000;
const LONGEST_STACK = 4000;
const SHOWN = ["code", "identifier", "statusCode"];

function text(value, longest) {
  try {
    return String(value).slice(0, longest);
  } catch {
    return "(cannot be shown as text)";
  }
}

/** Frames of the tenant's own file alone: paths of this machine are nobody's business. */
function ownFrames(stack, file) {
  return text(stack, 20000)
    .split("\n")
    .filter((line, index) => index === 0 || !/^\s+at /.test(line) || line.includes(file))
    .filter((line) => !line.includes("node:internal"))
    .join("\n")
    .slice(0, LONGEST_STACK);
}

/** Anything can be thrown, also objects whose getters throw. */
function describe(thrown, file) {
  try {
    if (thrown === null || (typeof thrown !== "object" && typeof thrown !== "function")) {
      return { name: "Error", message: text(thrown, LONGEST_MESSAGE), stack: "", thrown: typeof thrown };
    }
    const error = {
      name: text(thrown.name ?? thrown.constructor?.name ?? "Error", 100),
      message: text(thrown.message ?? thrown, LONGEST_MESSAGE),
      stack: ownFrames(thrown.stack ?? "", file),
    };
    for (const key of SHOWN) {
      if (["string", "number"].includes(typeof thrown[key])) error[key] = thrown[key];
    }
    return error;
  } catch {
    return { name: "Error", message: "The thrown value can't be shown.", stack: "" };
  }
}

module.exports = { describe };
