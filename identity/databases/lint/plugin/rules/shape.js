// The function itself: its name and its parameters.
"use strict";

const { rule } = require("../rule");
const { SIGNATURES } = require("../ast");

const CDB10 = rule(({ program, main, report }) => ({
  Program() {
    if (!main) report(program, "The script declares no function.");
    else if (!main.id && main.parent.type !== "VariableDeclarator") report(main, "The function has no name.");
  },
}));

const CDB11 = rule(({ context, script, main, report }) => ({
  Program() {
    const { names } = SIGNATURES[script];
    if (!main?.id || names.includes(main.id.name)) return;
    const used = context.sourceCode.getDeclaredVariables(main)[0]?.references.length;
    const fix = used ? null : (fixer) => fixer.replaceText(main.id, names[0]);
    report(main.id, `The function is called ${main.id.name}; the documentation calls it ${names[0]}.`, fix);
  },
}));

const CDB12 = rule(({ settings, script, main, report }) => ({
  Program() {
    if (!main) return;
    const { parameters } = SIGNATURES[script];
    const expected = [...parameters, ...(settings.context ? ["context"] : []), "callback"];
    if (main.params.length === expected.length) return;
    report(main, `The function takes ${main.params.length} parameters; Auth0 gives ${expected.length}: ${expected.join(", ")}.`);
  },
}));

module.exports = { CDB10, CDB11, CDB12 };
