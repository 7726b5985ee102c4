// The child's loop: read a request, run it, write the answer. Arguments: descriptor for answers, relay descriptors.
"use strict";

const { readRequest, writeAnswer } = require("./frames");
const { describe } = require("./errors");
const output = require("./output");
const runners = { action: require("./actions"), script: require("./scripts") };
const relay = require("./relay");

const answers = Number(process.argv[2]);
const sockets = (process.argv[3] ?? "").split(",").filter(Boolean).map(Number);
const { hrtime, cpuUsage, exit } = process;
const { setImmediate } = globalThis;
const parent = process.ppid;
const PARENT_LOOK_MS = 2000;
process.argv.length = 1;

let stopped = () => {};
output.install();
relay.install(sockets);
// Code that waits for ever must not outlive a parent that was killed.
setInterval(() => process.ppid !== parent && exit(0), PARENT_LOOK_MS).unref();
process.on("uncaughtException", (error) => stopped({ error, tainted: true }));
process.on("unhandledRejection", (error) => stopped({ error, tainted: true }));
// A turn later, so that the loop is alive again and can run empty a second time; the next run may have begun by then.
process.on("beforeExit", () => setImmediate(stopped, { idle: true }));

const IDLE = "Nothing is left to wait for, so the code can never finish. Auth0 would wait 20 seconds and then give up.";

function verdict(ending, file) {
  if (ending.idle) return { outcome: "timeout", error: { name: "TimeoutError", message: IDLE, stack: "" } };
  if ("error" in ending) return { outcome: "error", error: { ...describe(ending.error, file), uncaught: Boolean(ending.tainted) } };
  return { outcome: "completed", error: null };
}

/** Runs one request to its end: finished, thrown, an error that nobody caught, or nothing left that could go on. */
async function perform(kind, request) {
  const { run, FILE } = runners[kind];
  const console = output.start();
  const result = kind === "action" ? [] : {};
  const started = hrtime.bigint();
  const ending = await new Promise((resolve) => {
    stopped = resolve;
    run(request, result).then(
      (value) => resolve({ value }),
      (error) => resolve({ error }),
    );
  });
  const duration_ms = Number(hrtime.bigint() - started) / 1e6;
  const { tainted = false, value = null } = ending;
  return { ...verdict(ending, FILE), value, result, console, duration_ms, tainted, cache: request.cache ?? null };
}

function answer(nonce, kind, data) {
  const { user, system } = cpuUsage();
  const frame = { ...data, nonce, cpu_ms: (user + system) / 1000 };
  const message = "What the code gave back is larger than can be taken.";
  const refusal = { nonce, outcome: "error", error: { name: "Error", message, stack: "" }, result: [], console: [] };
  try {
    writeAnswer(answers, frame, refusal);
  } catch (error) {
    if (error.code === "EPIPE") exit(0);
    writeAnswer(answers, { ...refusal, error: describe(error, runners[kind].FILE) }, refusal);
  }
}

async function serve() {
  for (;;) {
    const { nonce, kind, runs, ...shared } = readRequest();
    for (const run of runs) answer(nonce, kind, await perform(kind, { ...shared, ...run }));
  }
}

serve();
