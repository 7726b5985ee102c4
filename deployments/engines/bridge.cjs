// Runs one job of Auth0's Deploy CLI and tells, as JSON lines on standard output, all that happens.
//
// The job is the first line of standard input. That pipe stays open: when it ends, its owner is dead and so are we.
// The Deploy CLI's configuration is a process-wide singleton, so a process does one job.
"use strict";
const fs = require("node:fs");
const readline = require("node:readline");

const MARKER = /##[A-Z0-9_.-]+##|@@[A-Z0-9_.-]+@@/i;
const IN_FLIGHT = 4;
const SHARE_FOR_PEOPLE = 0.2;
const LONGEST_WAIT_MS = 60_000;

const emit = (event) => fs.writeSync(1, JSON.stringify(event) + "\n");
// The Deploy CLI prints tables and spinners; only events may go out.
process.stdout.write = (_chunk, encoding, done) => {
  const callback = typeof encoding === "function" ? encoding : done;
  if (callback) callback();
  return true;
};

class Refused extends Error {}

const state = { type: "", stage: "", refused: "", network: "", failed: new Map(), lost: new Set(), limit: null };

// ---- every call goes through here ---------------------------------------------------------------------------------

function guard(job) {
  const real = globalThis.fetch;
  const rules = job.allow.map(toRule);
  const gate = semaphore(IN_FLIGHT);
  globalThis.fetch = async (input, init = {}) => {
    const url = new URL(typeof input === "string" ? input : input.url ?? String(input));
    const method = (init.method ?? input.method ?? "GET").toUpperCase();
    const call = { method, path: url.pathname, query: url.search, body: typeof init.body === "string" ? init.body : "" };
    if (url.host !== job.domain) refuse(call, `calls ${url.host}, which is not the tenant`);
    const rule = method === "GET" ? null : permitted(call, rules);
    return gate(() => send(real, input, init, call, rule, rules));
  };
}

function toRule(given) {
  return { ...given, pattern: new RegExp(given.path) };
}

function permitted(call, rules) {
  if (state.refused) refuse(call, "comes after a call that was refused");
  if (MARKER.test(call.body)) refuse(call, `still holds a marker (${MARKER.exec(call.body)[0]})`);
  if (state.lost.has(identity(call))) refuse(call, "would repeat a write whose answer was lost");
  const path = call.path.replace(/^\/api\/v2/, "");
  const rule = rules.find((r) => r.method === call.method && r.pattern.test(path) && named(r, call));
  if (!rule) refuse(call, "is not in the plan");
  return rule;
}

function named(rule, call) {
  if (!rule.names) return true;
  try {
    const body = JSON.parse(call.body);
    return rule.names.some((wanted) => Object.entries(wanted).every(([key, value]) => value === null || body[key] === value));
  } catch {
    return false;
  }
}

function refuse(call, reason) {
  state.refused ||= `${call.method} ${call.path} ${reason}`;
  emit({ ev: "refused", method: call.method, path: call.path, reason, type: state.type });
  throw new Refused(state.refused);
}

const identity = (call) => `${call.method} ${call.path} ${call.body}`;

async function send(real, input, init, call, rule, rules) {
  await pace();
  const started = Date.now();
  if (rule) emit({ ev: "write", phase: "sent", type: rule.kind, method: call.method, path: call.path });
  let answer;
  try {
    answer = await real(input, init);
  } catch (error) {
    state.network = error?.cause?.code ?? error?.code ?? error?.name ?? "";
    if (rule) lost(call);
    emit({ ev: "http", method: call.method, path: call.path, query: call.query, status: 0, error: state.network, type: state.type });
    throw error;
  }
  learn(answer.headers);
  await report(answer, call, rule, rules, Date.now() - started);
  return answer;
}

async function report(answer, call, rule, rules, ms) {
  const text = answer.ok && !rule ? "" : await answer.clone().text();
  const event = { method: call.method, path: call.path, query: call.query, status: answer.status, ms, type: state.type, limit: state.limit };
  if (!answer.ok) Object.assign(event, problem(text));
  emit({ ev: "http", ...event });
  if (!rule) return;
  if (answer.ok) state.failed.delete(identity(call));
  else state.failed.set(identity(call), `${call.method} ${call.path}: ${event.message || answer.status}`);
  if (answer.status >= 500) lost(call);
  if (answer.ok) admit(rule, text, rules);
  const request = answer.headers.get("x-auth0-requestid") ?? "";
  emit({ ev: "write", phase: "done", ...event, type: rule.kind, request });
}

// A create that failed on the way may have happened: it is never sent twice. Other writes say the same each time.
function lost(call) {
  if (call.method === "POST") state.lost.add(identity(call));
}

// What was just created may be worked on: its id is known only now.
function admit(rule, text, rules) {
  if (!rule.then) return;
  try {
    const id = JSON.parse(text)[rule.id];
    const safe = encodeURIComponent(id).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    for (const next of rule.then) rules.push(toRule({ ...next, path: next.path.replaceAll("{id}", safe) }));
  } catch {
    // an answer without an id admits nothing
  }
}

function problem(text) {
  try {
    const body = JSON.parse(text);
    return { message: body.message ?? body.error_description ?? "", code: body.errorCode ?? body.error ?? "" };
  } catch {
    return { message: "", code: "" };
  }
}

function learn(headers) {
  const [limit, left, reset] = ["limit", "remaining", "reset"].map((n) => Number(headers.get(`x-ratelimit-${n}`) ?? NaN));
  if (![limit, left, reset].some(Number.isNaN)) state.limit = { limit, left, reset };
}

// A fifth of the tenant's limit is left to people.
async function pace() {
  const known = state.limit;
  if (!known || known.limit <= 2 || known.left > known.limit * SHARE_FOR_PEOPLE) return;
  const ms = Math.min(LONGEST_WAIT_MS, Math.max(50, known.reset * 1000 - Date.now()));
  state.limit = null;
  if (ms > 1500) emit({ ev: "waiting", ms });
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function semaphore(size) {
  let free = size;
  const waiting = [];
  const release = () => (waiting.length ? waiting.shift()() : (free += 1));
  return async (act) => {
    if (free > 0) free -= 1;
    else await new Promise((resolve) => waiting.push(resolve));
    try {
      return await act();
    } finally {
      release();
    }
  };
}

// ---- the Deploy CLI -----------------------------------------------------------------------------------------------

// Its own limit, eight calls a second whatever the tenant allows, would make a reading take twice as long.
function withoutOwnLimit() {
  const pools = require("promise-pool-executor");
  const Pool = pools.PromisePoolExecutor;
  pools.PromisePoolExecutor = class extends Pool {
    constructor(options) {
      super({ ...options, frequencyLimit: Infinity });
    }
  };
}

function load() {
  withoutOwnLimit();
  // The package's root first: its parts import each other in a circle.
  const cli = require("auth0-deploy-cli");
  const { default: Auth0 } = require("auth0-deploy-cli/lib/tools/auth0");
  const { default: schema } = require("auth0-deploy-cli/lib/tools/auth0/schema");
  const { default: logger } = require("auth0-deploy-cli/lib/logger");
  // 99 % of the schema, and 1.8 GB of memory for its compiler, are the texts of prompts.
  delete schema.properties.prompts;
  tellStages(Auth0);
  for (const level of ["warn", "error"]) {
    logger[level] = (...parts) => emit({ ev: "log", level, message: parts.map(String).join(" ").slice(0, 1000), type: state.type });
  }
  console.warn = (...parts) => logger.warn(...parts);
  return cli;
}

function tellStages(Auth0) {
  const original = Auth0.prototype.runStage;
  Auth0.prototype.runStage = function (stage) {
    for (const handler of this.handlers) tell(Object.getPrototypeOf(handler), stage);
    return original.call(this, stage);
  };
}

function tell(prototype, stage) {
  const act = prototype[stage];
  if (typeof act !== "function" || act.told) return;
  const told = async function (assets) {
    Object.assign(state, { type: this.type, stage });
    const started = Date.now();
    const result = await act.call(this, assets).catch((error) => skipped(stage, this.type, error));
    emit({ ev: "type", stage, type: this.type, count: count(result?.[this.type]), ms: Date.now() - started });
    return result;
  };
  told.told = true;
  told.order = act.order;
  Object.defineProperty(prototype, stage, { value: told, configurable: true, writable: true });
}

// One kind that can't be read does not spoil the reading of the others: it is told, and stays unknown.
function skipped(stage, type, error) {
  const status = error?.statusCode ?? 0;
  if (stage !== "load" || state.refused || status < 400 || status >= 500 || [401, 429].includes(status)) throw error;
  emit({ ev: "log", level: "warn", message: `${type} could not be read: ${error.message}`.slice(0, 1000), type });
  return { [type]: null };
}

function count(value) {
  if (value === null || value === undefined) return null;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function configuration(job) {
  return {
    AUTH0_DOMAIN: job.domain,
    AUTH0_ACCESS_TOKEN: job.token,
    // Not used to sign in: it is what keeps the Deploy CLI from touching the application that it runs as.
    AUTH0_CLIENT_ID: job.clientId,
    AUTH0_ALLOW_DELETE: false,
    AUTH0_EXPORT_IDENTIFIERS: job.mode === "export",
    AUTH0_KEYWORD_REPLACE_MAPPINGS: {},
    AUTH0_API_MAX_RETRIES: job.retries,
    AUTH0_MAX_RETRIES: job.retries,
    ...(job.included ? { AUTH0_INCLUDED_ONLY: job.included } : { AUTH0_EXCLUDED: job.excluded }),
  };
}

async function work(job) {
  guard(job);
  const cli = load();
  const common = { config: configuration(job), env: false };
  if (job.mode === "export") await cli.dump({ ...common, output_folder: job.folder, format: "directory", base_path: job.folder });
  else await cli.deploy({ ...common, input_file: job.folder, base_path: job.folder });
  if (state.refused) throw new Refused(state.refused);
  // The Deploy CLI logs some failed writes and goes on.
  if (state.failed.size) throw new Error([...state.failed.values()].join("; "));
}

function failure(error) {
  return {
    ev: "result", ok: false, type: error.type ?? state.type, stage: error.stage ?? state.stage,
    message: String(error.message ?? error).slice(0, 4000), status: error.statusCode ?? 0,
    network: state.network, refused: state.refused,
  };
}

const lines = readline.createInterface({ input: process.stdin });
lines.once("line", (line) => {
  work(JSON.parse(line)).then(
    () => { emit({ ev: "result", ok: true }); process.exit(0); },
    (error) => { emit(failure(error)); process.exit(1); },
  );
});
lines.once("close", () => process.exit(3));
