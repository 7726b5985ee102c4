// The callback: on every path, once, and after the work. Judged on ESLint's own analysis of code paths.
"use strict";

const { rule } = require("../rule");
const { ancestors, enclosingFunction, isFunction, methodName, walk } = require("../ast");

/** Does this function's own code, nested functions left out, mention the callback or one of its aliases? */
function mentions(fn, names, visitorKeys) {
  for (const node of walk(fn.body, visitorKeys)) {
    if (node.type === "Identifier" && names.has(node.name) && node.parent.property !== node) return true;
  }
  return false;
}

/** Functions with a name that call the callback for others, such as `function done(error) { callback(error) }`. */
function aliases(tools) {
  const names = new Set([tools.callback]);
  for (let size = 0; size !== names.size; ) {
    size = names.size;
    for (const node of walk(tools.main.body, tools.visitorKeys)) {
      const fn = node.type === "VariableDeclarator" ? node.init : node;
      const name = node.type === "VariableDeclarator" || node.type === "FunctionDeclaration" ? node.id?.name : undefined;
      if (name && isFunction(fn) && mentions(fn, names, tools.visitorKeys)) names.add(name);
    }
  }
  return names;
}

/** A function that is handed on, not one that has a name and is called by it. */
const isHandler = (node) => isFunction(node) && node.type !== "FunctionDeclaration" && node.parent.type !== "VariableDeclarator";

/**
 * Follows each function's code paths. An event is a "call" of the callback or a "handler": work that has been handed
 * a function (or the callback itself) which will call back. `judge` gets every finished function.
 */
function paths(tools, judge) {
  if (!tools.main || !tools.callback) return {};
  const names = aliases(tools);
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
      if (isHandler(node) && node !== tools.main && mentions(node, names, tools.visitorKeys)) record("handler", node);
    },
    "CallExpression:exit"(node) {
      if (node.callee.type === "Identifier" && names.has(node.callee.name)) record("call", node);
      else if (node.arguments.some((one) => one.type === "Identifier" && names.has(one.name))) record("handler", node);
    },
  };
}

/** Every way through a function; a loop is taken at most twice. `visit(events)` sees the events of one whole way. */
function* ways(codePath, events) {
  const stack = [{ segment: codePath.initialSegment, seen: new Map(), happened: [] }];
  let budget = 4000;
  while (stack.length && budget-- > 0) {
    const { segment, seen, happened } = stack.pop();
    const count = (seen.get(segment) ?? 0) + 1;
    if (count > 2) continue;
    const now = [...happened, ...(events.get(segment) ?? [])];
    if (codePath.finalSegments.includes(segment)) yield { happened: now, thrown: codePath.thrownSegments.includes(segment) };
    const visits = new Map(seen).set(segment, count);
    for (const next of segment.nextSegments) stack.push({ segment: next, seen: visits, happened: now });
  }
}

/** Functions that answer for the script: the main one, and handlers that mention the callback. */
const answers = (fn, tools) => fn.node === tools.main || (isHandler(fn.node) && mentions(fn.node, fn.names, tools.visitorKeys));

/** Handlers of events answer only when their event comes; a chain's steps pass on to the next step. */
function mayStaySilent(node) {
  const call = node.parent;
  if (call?.type !== "CallExpression") return false;
  return ["on", "once", "then", "map", "forEach", "series", "waterfall", "finally"].includes(methodName(call));
}

const CDB13 = rule((tools) =>
  paths(tools, (fn) => {
    if (!answers(fn, tools) || (fn.node !== tools.main && mayStaySilent(fn.node))) return;
    for (const { happened, thrown } of ways(fn.codePath, fn.events)) {
      if (happened.length) continue;
      const what = thrown ? "One path throws instead of calling the callback." : "One path ends without calling the callback.";
      return void tools.report(fn.node, what);
    }
  }),
);

/** `callback(...)` as a statement of its own, with nothing after it in its block: adding `return` changes nothing. */
function returnFix(node) {
  const statement = node.parent;
  const block = statement.parent;
  const last = block.type !== "BlockStatement" || block.body.at(-1) === statement;
  const inFunction = isFunction(block.parent) || last;
  return last && inFunction ? (fixer) => fixer.insertTextBefore(statement, "return ") : null;
}

const CDB14 = rule((tools) => {
  const reported = new Set();
  return {
    ...paths(tools, (fn) => {
      for (const { happened } of ways(fn.codePath, fn.events)) {
        const second = happened.filter((event) => event.kind === "call")[1]?.node;
        if (!second || reported.has(second)) continue;
        reported.add(second);
        tools.report(second, "The callback can be called a second time here.");
      }
    }),
    ExpressionStatement({ expression }) {
      if (expression.type === "CallExpression" && tools.isCallback(expression)) {
        tools.report(expression, "The code runs on after the callback.", returnFix(expression));
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
  const reported = new Set();
  return {
    ...paths(tools, (fn) => {
      for (const { happened } of ways(fn.codePath, fn.events)) {
        const call = happened.find((event) => event.kind === "call");
        const handler = happened.find((event) => event.kind === "handler" && !inside(call?.node, event.node));
        if (!call || !handler || reported.has(call.node) || awaited(handler.node)) continue;
        reported.add(call.node);
        tools.report(call.node, "The callback is called here, and again by work that was started on the same path.");
      }
    }),
    CallExpression(node) {
      if (tools.main && isUnawaited(node, tools.main)) tools.report(node, `Nobody waits for the result of ${methodName(node)}().`);
    },
    'CallExpression[callee.property.name="forEach"] > ArrowFunctionExpression[async=true]'(node) {
      tools.report(node, "forEach does not wait for asynchronous functions.");
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
    const answersItself = fn === tools.main || (fn && isHandler(fn) && tools.callback && mentions(fn, new Set([tools.callback]), tools.visitorKeys));
    if (answersItself && !isCaught(node) && !endsInCatch(node.argument)) {
      tools.report(node, "If this fails, the callback is never called.");
    }
  },
  "ExpressionStatement > CallExpression"(node) {
    if (methodName(node) === "then" && !endsInCatch(node)) tools.report(node, "If this promise fails, nobody notices.");
  },
}));

module.exports = { CDB13, CDB14, CDB15, CDB16 };
