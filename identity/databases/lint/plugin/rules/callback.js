// The callback: on every path, once, and after the work. Judged on ESLint's own analysis of code paths.
"use strict";

const { rule } = require("../rule");
const { ancestors, enclosingFunction, isFunction, methodName, walk } = require("../ast");

/** Does this function's code, nested functions among it, mention the callback or one of its aliases? */
const mentions = (fn, references) => [...references].some((one) => fn.body.range[0] <= one.range[0] && one.range[1] <= fn.body.range[1]);

/** The functions that a name stands for, or that what it stands for was given. */
function functionsOf(node) {
  const value = node.type === "VariableDeclarator" ? node.init : node;
  return [value, ...(value?.arguments ?? [])].filter(isFunction);
}

/**
 * Every place that means the callback: the parameter itself (not another one of the same name further in), and the
 * names of functions that call it for others, such as `function done(error) { callback(error) }`. Objects that were
 * given such a function, `const request = new Request(sql, (error) => callback(error))`, carry it to where they go.
 */
function meanings(tools) {
  const { getDeclaredVariables } = tools.context.sourceCode;
  const declared = (node) => getDeclaredVariables.call(tools.context.sourceCode, node);
  const references = new Set(tools.references);
  for (let size = -1; size !== references.size; ) {
    size = references.size;
    for (const node of walk(tools.main.body, tools.visitorKeys)) {
      const named = node.type === "VariableDeclarator" || node.type === "FunctionDeclaration";
      if (!named || !functionsOf(node).some((fn) => mentions(fn, references))) continue;
      for (const { identifier, init } of declared(node)[0]?.references ?? []) if (!init) references.add(identifier);
    }
  }
  return references;
}

/** A function that is handed on, not one that has a name and is called by it. */
const isHandler = (node) => isFunction(node) && node.type !== "FunctionDeclaration" && node.parent.type !== "VariableDeclarator";

/**
 * Follows each function's code paths. An event is a "call" of the callback or a "handler": work that has been handed
 * a function (or the callback itself) which will call back. `judge` gets every finished function.
 */
function paths(tools, judge) {
  if (!tools.main || !tools.callback) return {};
  const names = meanings(tools);
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
      else if (node.arguments.some((one) => names.has(one))) record("handler", node);
    },
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

/** Handlers of events answer only when their event comes; a chain's steps pass on to the next step. */
function mayStaySilent(node) {
  const call = node.parent;
  if (call?.type !== "CallExpression") return false;
  return ["on", "once", "then", "map", "forEach", "series", "waterfall", "finally"].includes(methodName(call));
}

const CDB13 = rule((tools) =>
  paths(tools, (fn) => {
    if (!answers(fn, tools) || (fn.node !== tools.main && mayStaySilent(fn.node))) return;
    let silent;
    const visit = (answered, thrown) => void (answered || (silent ??= thrown ? "throws instead of" : "ends without"));
    walkPaths(fn, { start: false, step: () => true, key: String, visit });
    if (silent) tools.report(fn.node, `One path ${silent} calling the callback.`);
  }),
);

/** `callback(...)` as a statement of its own, with nothing after it in its block: adding `return` changes nothing. */
function returnFix(node) {
  const statement = node.parent;
  return isLast(statement) ? (fixer) => fixer.insertTextBefore(statement, "return ") : null;
}

const isLast = ({ parent, ...statement }) => parent.type !== "BlockStatement" || parent.body.at(-1).range[0] === statement.range[0];

const CDB14 = rule((tools) => {
  return {
    ...paths(tools, (fn) => {
      const again = new Set();
      const step = (calls, event) => {
        if (event.kind === "call" && calls > 0) again.add(event.node);
        return event.kind === "call" ? Math.min(calls + 1, 2) : calls;
      };
      walkPaths(fn, { start: 0, step, key: String, visit: () => {} });
      for (const node of again) tools.report(node, "The callback can be called a second time here.");
    }),
    ExpressionStatement({ expression }) {
      if (expression.type === "CallExpression" && tools.isCallback(expression)) {
        const harmless = isLast(expression.parent) && enclosingFunction(expression)?.body === expression.parent.parent;
        const message = harmless ? "Style: nothing follows the callback here; `return` says so." : "The code runs on after the callback.";
        tools.report(expression, message, returnFix(expression));
      }
    },
  };
});

const WORK = /^(query|execute|insert(One|Many)?|update(One|Many)?|delete(One|Many)?|replaceOne|findOne(And\w+)?|save|connect|fetch|request)$/;

/** A promise of work that nobody waits for: a statement of its own, without a function that takes its result. */
function isUnawaited(node, main) {
  if (node.parent.type !== "ExpressionStatement" || !WORK.test(methodName(node))) return false;
  if (node.arguments.some((one) => isFunction(one) || one.type === "Identifier" && /callback|done|cb|next/i.test(one.name))) return false;
  return enclosingFunction(node)?.async ?? main.async;
}

const CDB15 = rule((tools) => {
  return {
    ...paths(tools, (fn) => {
      const both = new Set();
      const step = (state, event) => (state[event.kind] ? state : { ...state, [event.kind]: event.node });
      const key = ({ call, handler }) => `${call?.range[0]} ${handler?.range[0]}`;
      const visit = ({ call, handler }) => call && handler && !inside(call, handler) && !awaited(handler) && both.add(call);
      walkPaths(fn, { start: {}, step, key, visit });
      const message = "The callback is called here, and again by work that was started on the same path.";
      for (const node of both) tools.report(node, message);
    }),
    CallExpression(node) {
      if (tools.main && isUnawaited(node, tools.main)) tools.report(node, `Nobody waits for the result of ${methodName(node)}().`);
    },
    'CallExpression[callee.property.name="forEach"] > ArrowFunctionExpression[async=true]'(node) {
      tools.report(node, "A forEach does not wait for asynchronous functions.");
    },
  };
});

const inside = (node, other) => Boolean(node) && [node, ...ancestors(node)].includes(other);
const awaited = (node) => [...ancestors(node)].some((one) => one.type === "AwaitExpression" || one.type === "ReturnStatement");

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
    const answersItself = fn === tools.main || (fn && isHandler(fn) && mentions(fn, tools.references));
    if (answersItself && !isCaught(node) && !endsInCatch(node.argument)) {
      tools.report(node, "If this fails, the callback is never called.");
    }
  },
  "ExpressionStatement > CallExpression"(node) {
    if (methodName(node) === "then" && !endsInCatch(node)) tools.report(node, "If this promise fails, nobody notices.");
  },
}));

module.exports = { CDB13, CDB14, CDB15, CDB16 };
