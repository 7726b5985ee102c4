// JSON in, JSON out: {"scripts": [[name, code], ...], "settings": {...}} -> [{"findings": [...], "facts": {...}}, ...].
"use strict";

const { readFileSync, writeSync } = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");

const plugin = require("./index");

const installed = createRequire(path.join(process.argv[2], "package.json"));
const { Linter } = installed("eslint");
const linter = new Linter({ configType: "flat" });

// An anonymous function is a program only in parentheses; they shift its first line by one column.
const ANONYMOUS = /^(async\s+)?function\s*\*?\s*\(/;

/** Without the spaces and comments at the beginning; each step looks at one of them alone. */
function withoutComments(code) {
  let rest = code.trimStart();
  for (let end; rest.startsWith("//") || rest.startsWith("/*"); rest = rest.slice(end).trimStart()) {
    const close = rest.startsWith("//") ? rest.indexOf("\n") : rest.indexOf("*/", 2);
    if (close < 0) return "";
    end = close + (rest.startsWith("//") ? 1 : 2);
  }
  return rest;
}

const UNREAD = { ruleId: null, line: 1, column: 1, message: "This script is nested too deeply to be checked.", fix: null };

function check(script, code, settings) {
  const anonymous = ANONYMOUS.test(withoutComments(code));
  const source = anonymous ? `(${code.replace(/;?\s*$/, "")}\n)` : code;
  let facts = { settings: [], fields: null, open: false };
  const collect = plugin.rule((tools) => ({ "Program:exit": () => void (facts = plugin.factsOf(tools)) }));
  const rules = { ...plugin.rules, facts: collect };
  const options = { script, ...settings };
  const messages = verified(source, {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: "latest", sourceType: "script" },
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: "off" },
    plugins: { cdb: { rules } },
    rules: Object.fromEntries(Object.keys(rules).map((id) => [`cdb/${id}`, ["error", options]])),
  });
  return { facts, findings: fewOfEach(messages.map((message) => finding(script, message, anonymous))) };
}

const MOST_OF_A_RULE = 50;

/** The same fault a thousand times is one fault: a page must bear the list. The last one kept counts those left out. */
function fewOfEach(findings) {
  const kept = {};
  for (const one of findings) {
    const same = (kept[`${one.rule} ${one.level}`] ??= []);
    if (same.length < MOST_OF_A_RULE) same.push(one);
    else same.at(-1).more += 1;
  }
  return Object.values(kept).flat();
}

/** One script that is too much for the linter must not take the others with it. */
function verified(source, config) {
  try {
    return linter.verify(source, config, { filename: "script.js" });
  } catch (error) {
    if (error instanceof RangeError || /call stack/.test(error.message)) return [UNREAD];
    throw error;
  }
}

function finding(script, { ruleId, line, column, endLine, message, fix }, anonymous) {
  const shift = anonymous ? 1 : 0;
  const [, level, text] = /^(?:(info|warning): )?([^]*)$/.exec(message.replace(/^Parsing error: /, ""));
  return {
    script,
    rule: ruleId ? ruleId.replace("cdb/", "") : "CDB00",
    line,
    column: line === 1 ? column - shift : column,
    end_line: endLine ?? line,
    level: level ?? null,
    message: text.replace(/^./, (first) => first.toUpperCase()),
    more: 0,
    fix: fix ? { start: fix.range[0] - shift, end: fix.range[1] - shift, text: fix.text } : null,
  };
}

const { scripts, settings } = JSON.parse(readFileSync(0, "utf8"));
const checked = scripts.map(([script, code]) => check(script, code, settings));
const answer = Buffer.from(JSON.stringify(checked));
for (let written = 0; written < answer.length; ) written += writeSync(1, answer, written);
