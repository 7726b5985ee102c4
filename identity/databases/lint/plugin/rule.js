// A rule of ours: ESLint's form around what the rules share.
"use strict";

const { callbackName, mainFunction, path } = require("./ast");

/**
 * `build(tools)` gives the visitors. tools: context, script (its kind), settings, main and callback (the function that
 * Auth0 runs and the name of its callback), report(node, message, fix?) at the rule's own level, warn and hint below it.
 */
function rule(build, { scripts } = {}) {
  return {
    meta: { type: "problem", fixable: "code", schema: [{ type: "object" }] },
    create(context) {
      const settings = context.options[0] ?? {};
      if (scripts && !scripts.includes(settings.script)) return {};
      const program = context.sourceCode.ast;
      const main = mainFunction(program, settings.script);
      const callback = callbackName(main);
      const reporting = (level) => (node, message, fix) => context.report({ node, message: level + message, fix: fix ?? null });
      const [report, warn, hint] = ["", "warning: ", "info: "].map(reporting);
      // Where the callback itself is meant, and no inner parameter of the same name.
      const declared = main ? context.sourceCode.getDeclaredVariables(main).filter((one) => one.name === callback) : [];
      const references = new Set(declared.flatMap((one) => one.references.map((reference) => reference.identifier)));
      const isCallback = (call) => references.has(call.callee);
      const visitorKeys = context.sourceCode.visitorKeys;
      return build({ context, settings, script: settings.script, program, main, callback, report, warn, hint, isCallback, references, visitorKeys, path });
    },
  };
}

module.exports = { rule };
