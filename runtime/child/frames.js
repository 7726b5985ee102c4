// Frames between this process and its parent: four bytes of length, big-endian, then JSON.
"use strict";

const { readSync, writeSync } = require("node:fs");
const { parse, stringify } = JSON;
const { alloc, from, concat } = Buffer;
const { exit } = process;

const REQUESTS = 0;
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024;

/** Reads exactly `size` bytes and blocks until they are there: between two runs nothing else may happen here. */
function readExactly(size) {
  const buffer = alloc(size);
  let filled = 0;
  while (filled < size) {
    const count = readSync(REQUESTS, buffer, filled, size - filled, null);
    if (count === 0) exit(0); // the parent is gone
    filled += count;
  }
  return buffer;
}

function readRequest() {
  return parse(readExactly(readExactly(4).readUInt32BE(0)).toString("utf8"));
}

function writeAnswer(descriptor, answer, tooLarge) {
  let body = from(stringify(answer), "utf8");
  if (body.length > LARGEST_ANSWER_BYTES) body = from(stringify(tooLarge), "utf8");
  const size = alloc(4);
  size.writeUInt32BE(body.length, 0);
  const frame = concat([size, body]);
  let written = 0;
  while (written < frame.length) written += writeSync(descriptor, frame, written, frame.length - written);
}

module.exports = { readRequest, writeAnswer };
