// The callback: on every path, once, and after the work. Judged on ESLint's own analysis of code paths.
"use strict";

const { rule } = require("../rule");
const { MOST_NAMES, ancestors, enclosingFunction, isFunction, isNothing, memberName, methodName, origin, path, resolve, walk } = require("../ast");

/** Identifiers that mean the callback, by their places in the text. */
class Meanings extends Set {
  /** Is one of them inside of this code, nested functions among it? */
  within({ range: [start, end] }) {
    if (this.sorted?.length !== this.size) this.sorted = [...this].map((one) => one.range[0]).sort((a, b) => a - b);
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle] < start) low = middle + 1;
      else high = middle;
    }
    return this.sorted[low] < end;
  }
}

const mentions = (fn, meanings) => meanings.within(fn.body);

/** The callback itself, a function that calls it, or something that was given either: `once(callback)`. */
function carries(node, meanings) {
  const value = node.type === "VariableDeclarator" ? node.init : node;
  // A timer can only be cleared.
  const given = [value, ...((!/^set(Timeout|Interval)$/.test(path(value?.callee)) && value?.arguments) || [])];
  return given.some((one) => meanings.has(one) || (isFunction(one) && mentions(one, meanings)));
}

/**
 * Every place that means the callback: the parameter itself (not another one of the same name further in), other names
 * of it, and the names of functions that call it for others, such as `function done(error) { callback(error) }`. Objects
 * that were given such a function, `const request = new Request(sql, (error) => callback(error))`, carry it to where
 * they go.
 */
function meaningsOf(tools) {
  const declared = (node) => tools.context.sourceCode.getDeclaredVariables(node)[0]?.references ?? [];
  const named = [...walk(tools.main.body, tools.visitorKeys)].filter(({ type }) => type === "VariableDeclarator" || type === "FunctionDeclaration");
  const meanings = new Meanings(tools.references);
  for (let round = 0, size = -1; size !== meanings.size && round < MOST_NAMES; round += 1) {
    size = meanings.size;
    for (const node of named.filter((one) => carries(one, meanings))) {
      for (const { identifier, init } of declared(node)) if (!init) meanings.add(identifier);
    }
  }
  return meanings;
}

/** A function that is handed on, not one that has a name and is called by it. */
const isHandler = (node) => isFunction(node) && node.type !== "FunctionDeclaration" && node.parent.type !== "VariableDeclarator";

/**
 * Follows each function's code paths. An event is a "call" of the callback, a "handler": work that has been handed a
 * function (or the callback itself) which will call back, a "throw" of the script's own, or that something is "caught".
 * `judge` gets every finished function.
 */
function paths(tools, judge) {
  if (!tools.main || !tools.callback) return {};
  const names = meaningsOf(tools);
  const handedOn = new Meanings([...names].filter((one) => one.parent.callee !== one));
  let current = null;
  const record = (kind, node) => {
    if (!current) return;
    for (const segment of current.segments) {
      if (!current.events.has(segment)) current.events.set(segment, []);
      current.events.get(segment).push({ kind, node });
    }
  };
  return {
    onCodePathStart(codePath, node) {
      current = { upper: current, codePath, node, segments: new Set(), events: new Map() };
    },
    onCodePathSegmentStart: (segment) => void current.segments.add(segment),
    onCodePathSegmentEnd: (segment) => void current.segments.delete(segment),
    onCodePathEnd(codePath, node) {
      if (isFunction(node)) judge({ ...current, names });
      current = current.upper;
      if (isHandler(node) && node !== tools.main && mentions(node, names)) record("handler", node);
    },
    "CallExpression:exit"(node) {
      if (names.has(node.callee)) record("call", node);
      else if (node.arguments.some((one) => !isFunction(one) && handedOn.within(one))) record("handler", node);
    },
    "ThrowStatement:exit": (node) => record("throw", node),
    CatchClause: (node) => record("caught", node),
  };
}

/**
 * Walks a function's paths, loops too, with a small state: `step(state, event)` gives the next one, `key(state)` tells
 * states apart. Each segment is seen once per state, so the time stays in proportion to the code. Calls
 * `visit(state, thrown)` at every end; `thrown` where that path ends in a throw.
 */
function walkPaths({ codePath, events }, { start, step, key, visit }) {
  const stack = [[codePath.initialSegment, start]];
  const seen = new Set();
  const [ends, thrown] = [new Set(codePath.finalSegments), new Set(codePath.thrownSegments)];
  while (stack.length) {
    const [segment, before] = stack.pop();
    const mark = `${segment.id} ${key(before)}`;
    if (seen.has(mark)) continue;
    seen.add(mark);
    const state = (events.get(segment) ?? []).reduce(step, before);
    if (ends.has(segment)) visit(state, thrown.has(segment));
    for (const next of segment.nextSegments) stack.push([next, state]);
  }
}

/** Functions that answer for the script: the main one, and handlers that mention the callback. */
const answers = (fn, tools) => fn.node === tools.main || (isHandler(fn.node) && mentions(fn.node, fn.names));

const MAY_BE_SILENT = /^(on|once|addListener|then|finally|map|filter|find|some|every|each|forEach|series|waterfall|setTimeout|setInterval)$/;

/** Handlers of events answer only when their event comes; a chain's steps pass on to the next step. */
function mayStaySilent({ node, names }, { context }) {
  if (node.parent.type === "CallExpression" && MAY_BE_SILENT.test(methodName(node.parent))) return true;
  // A request may answer by another of its events: `request.on('row', (fields) => callback(null, ...))`.
  const made = node.parent.parent.type === "VariableDeclarator" ? context.sourceCode.getDeclaredVariables(node.parent.parent) : [];
  return made.flatMap((one) => one.references).some(({ identifier: { parent } }) => parent.type === "MemberExpression" && /^(on|once)$/.test(memberName(parent)) && parent.parent.arguments?.some((one) => names.within(one)));
}

const CDB13 = rule((tools) =>
  paths(tools, (fn) => {
    if (!answers(fn, tools) || (fn.node !== tools.main && mayStaySilent(fn, tools))) return;
    let silent;
    // Anything may throw in a `finally`, says the analysis; only what the script throws itself is held against it.
    const visit = (state, thrown) => {
      if (state === "threw" || (state === "silent" && !thrown)) silent ??= state === "threw" ? "throws instead of" : "ends without";
    };
    const next = { call: "answered", handler: "answered", throw: "threw", caught: "silent" };
    const step = (state, { kind }) => (state === "answered" ? state : next[kind]);
    walkPaths(fn, { start: "silent", step, key: String, visit });
    if (silent) tools.report(fn.node, `One path ${silent} calling the callback.`);
  }),
);

/** `callback(...)` as a statement of its own, at the end of its block: adding `return` changes nothing. */
function returnFix(statement) {
  const last = statement.parent.type !== "BlockStatement" || statement.parent.body.at(-1) === statement;
  return last ? (fixer) => fixer.insertTextBefore(statement, "return ") : null;
}

const LOOP = /^(For|While|DoWhile)/;

/** What comes after a statement in its function, cleanup in a `finally` aside: more code, a plain return, or its end. */
function whatFollows(statement) {
  for (let one = statement; !isFunction(one.parent); one = one.parent) {
    if (LOOP.test(one.parent.type)) return "more";
    const list = { BlockStatement: one.parent.body, SwitchCase: one.parent.consequent }[one.parent.type] ?? [one];
    const next = list[list.indexOf(one) + 1];
    if (next?.type === "BreakStatement") one = one.parent;
    else if (next) return next.type === "ReturnStatement" && isNothing(next.argument) ? "return" : "more";
    else if (one.parent.type === "SwitchCase" && one.parent.parent.cases.at(-1) !== one.parent) return "more";
  }
  return "end";
}

/** Calls of the callback from which another one can be reached. */
function leadingOn({ events }) {
  const calls = new Map([...events].map(([segment, of]) => [segment, of.filter(({ kind }) => kind === "call")]));
  const ahead = new Set();
  const stack = [...calls].filter(([, of]) => of.length).flatMap(([segment]) => segment.prevSegments);
  while (stack.length) {
    const segment = stack.pop();
    if (!ahead.has(segment)) stack.push(...ahead.add(segment) && segment.prevSegments);
  }
  return [...calls].flatMap(([segment, of]) => of.slice(0, ahead.has(segment) ? undefined : -1)).map(({ node }) => node);
}

const statementOf = (node) => [...ancestors(node)].find((one) => /Statement$|^VariableDeclaration$/.test(one.type));

const CDB14 = rule((tools) => {
  const [statements, followed] = [[], new Set()];
  const judge = (call) => {
    const next = whatFollows(call.parent);
    if (next === "end") tools.hint(call, "Nothing follows the callback here; `return` says so.", returnFix(call.parent));
    if (next !== "more") return;
    const say = followed.has(call) ? tools.report : tools.warn;
    say(call, "The code runs on after the callback.", returnFix(call.parent));
  };
  return {
    ...paths(tools, (fn) => {
      const again = new Set();
      const step = (state, { kind, node }) => {
        // Auth0's callback throws nothing: what is caught came before it, unless more code follows.
        if (kind === "caught" && state === "ending") return "silent";
        if (kind !== "call") return state;
        if (state !== "silent") again.add(node);
        return whatFollows(statementOf(node)) === "more" ? "called" : "ending";
      };
      walkPaths(fn, { start: "silent", step, key: String, visit: () => {} });
      for (const node of again) tools.report(node, "The callback can be called a second time here.");
      for (const node of leadingOn(fn)) followed.add(node);
    }),
    "ExpressionStatement > CallExpression": (call) => void (tools.isCallback(call) && statements.push(call)),
    "Program:exit": () => statements.forEach(judge),
  };
});

const WORK = /^(query|execute|insert(One|Many)?|update(One|Many)?|delete(One|Many)?|replaceOne|findOne(And\w+)?|save|connect|fetch|request)$/;

/** `connect` of drivers with callbacks: what comes after waits by itself, and its error reaches them. */
function queues(context, node) {
  if (methodName(node) !== "connect" || node.callee.type !== "MemberExpression") return false;
  const made = resolve(context, node.callee.object);
  return /^(mysql\.createConnection|tedious\.Connection)$/.test(origin(context, made?.callee));
}

/** A promise of work that nobody waits for: a statement of its own, without a function that takes its result. */
function isUnawaited(node, { main, context }) {
  if (node.parent.type !== "ExpressionStatement" || !WORK.test(methodName(node)) || queues(context, node)) return false;
  if (node.arguments.some((one) => isFunction(one) || one.type === "Identifier" && /callback|done|cb|next/i.test(one.name))) return false;
  return enclosingFunction(node)?.async ?? main.async;
}

const CDB15 = rule((tools) => {
  return {
    ...paths(tools, (fn) => {
      const twice = new Map();
      const step = (state, { kind, node }) => {
        if (kind === "call" && state.work) twice.set(node, "The callback is called here, and again by work that was started on the same path.");
        if (kind === "handler" && !awaited(node) && state.call) twice.set(node, "The callback has been called on this path, and this work calls it again.");
        return { call: state.call || kind === "call", work: state.work || (kind === "handler" && !awaited(node)) };
      };
      walkPaths(fn, { start: { call: false, work: false }, step, key: JSON.stringify, visit: () => {} });
      for (const [node, message] of twice) tools.report(node, message);
    }),
    CallExpression(node) {
      if (tools.main && isUnawaited(node, tools)) tools.report(node, `Nobody waits for the result of ${methodName(node)}().`);
    },
    'CallExpression[callee.property.name="forEach"] > ArrowFunctionExpression[async=true]'(node) {
      tools.report(node, "A forEach does not wait for asynchronous functions.");
    },
  };
});

const awaited = (node) => [...ancestors(node)].some((one) => one.type === "AwaitExpression" || one.type === "ReturnStatement");

/** `finally { await client.end(); }` behind callbacks that are all in the try: they have been called by then. */
function isAfterwards(node, references) {
  const tried = [...ancestors(node)].find((one) => one.parent?.type === "TryStatement" && one.parent.finalizer === one)?.parent;
  return Boolean(tried?.handler) && ![...references].some((one) => one.range[0] > tried.range[1]);
}

/** Inside the block of a try that catches, within the same function. */
function isCaught(node) {
  for (let one = node; one.parent && !isFunction(one); one = one.parent) {
    if (one.parent.type === "TryStatement" && one.parent.handler && one.parent.block === one) return true;
  }
  return false;
}

const endsInCatch = (node) => node?.type === "CallExpression" && (methodName(node) === "catch" || (methodName(node) === "then" && node.arguments.length > 1) || (methodName(node) === "finally" && endsInCatch(node.callee.object)));

const CDB16 = rule((tools) => ({
  AwaitExpression(node) {
    const fn = enclosingFunction(node);
    const answersItself = fn === tools.main || (fn && isHandler(fn) && mentions(fn, new Meanings(tools.references)));
    if (answersItself && !isCaught(node) && !endsInCatch(node.argument) && !isAfterwards(node, tools.references)) {
      tools.report(node, "If this fails, the callback is never called.");
    }
  },
  ":matches(ExpressionStatement, ReturnStatement) > CallExpression"(node) {
    const ends = node.parent.type === "ExpressionStatement" || enclosingFunction(node) === tools.main;
    if (ends && methodName(node) === "then" && !endsInCatch(node)) tools.report(node, "If this promise fails, nobody notices.");
  },
}));

module.exports = { CDB13, CDB14, CDB15, CDB16 };
