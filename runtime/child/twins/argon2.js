// The npm module `argon2` (native) on Node's own implementation: hash and verify of PHC strings.
"use strict";

const crypto = require("node:crypto");

const TYPES = ["argon2d", "argon2i", "argon2id"];
const DEFAULTS = { type: 2, memoryCost: 65536, timeCost: 3, parallelism: 4, hashLength: 32 };
const unpadded = (buffer) => buffer.toString("base64").replace(/=+$/, "");

function derive(name, { message, nonce, memory, passes, parallelism, tagLength }) {
  if (!crypto.argon2) throw new Error("This Node has no Argon2; version 24.7 or newer is needed to run this script here.");
  return new Promise((resolve, reject) =>
    crypto.argon2(name, { message, nonce, memory, passes, parallelism, tagLength }, (error, tag) =>
      error ? reject(error) : resolve(tag),
    ),
  );
}

async function hash(password, options = {}) {
  const { type, memoryCost, timeCost, parallelism, hashLength } = { ...DEFAULTS, ...options };
  const nonce = options.salt ?? crypto.randomBytes(16);
  const cost = { memory: memoryCost, passes: timeCost, parallelism, tagLength: hashLength };
  const tag = await derive(TYPES[type], { message: Buffer.from(password), nonce, ...cost });
  const shown = `m=${memoryCost},t=${timeCost},p=${parallelism}`;
  return `$${TYPES[type]}$v=19$${shown}$${unpadded(nonce)}$${unpadded(tag)}`;
}

async function verify(stored, password) {
  const [, name, version, costs, nonce, tag] = String(stored).split("$");
  if (!TYPES.includes(name) || version !== "v=19" || !tag) throw new Error("pchstr must be a PHC string of Argon2.");
  const { m, t, p } = Object.fromEntries(costs.split(",").map((pair) => pair.split("=")));
  const expected = Buffer.from(tag, "base64");
  const cost = { memory: Number(m), passes: Number(t), parallelism: Number(p), tagLength: expected.length };
  const found = await derive(name, { message: Buffer.from(password), nonce: Buffer.from(nonce, "base64"), ...cost });
  return crypto.timingSafeEqual(found, expected);
}

module.exports = { hash, verify, argon2d: 0, argon2i: 1, argon2id: 2 };
