// The post-login trigger: event and api objects, commands collected and given back as data.
"use strict";

const { evaluate } = require("./modules");
const { cacheOn } = require("./cache");
const { encodeToken, validateToken } = require("./redirect");

const FILE = "action.js";
const PROVIDERS = ["any", "duo", "google-authenticator", "guardian", "none"];
const METADATA_KEY = 64;
const METADATA_VALUE = 8000;
const METADATA_TOTAL = 16000;

// Every command by name. A command gives the api back for chaining, except those of authentication.
const COMMANDS = {
  access: ["deny"],
  accessToken: ["setCustomClaim", "addScope", "removeScope"],
  authentication: ["challengeWith", "challengeWithAny", "enrollWith", "enrollWithAny", "setPrimaryUser"],
  idToken: ["setCustomClaim"],
  multifactor: ["enable"],
  prompt: ["render"],
  redirect: ["sendUserTo"],
  refreshToken: ["revoke", "setExpiresAt", "setIdleExpiresAt", "setMetadata", "deleteMetadata", "evictMetadata"],
  samlResponse: [
    ...["setAttribute", "setAudience", "setIssuer", "setEncryptionPublicKey", "setEncryptionCert", "setRecipient"],
    ...["setCreateUpnClaim", "setPassthroughClaimsWithNoMapping", "setMapUnknownClaimsAsIs", "setMapIdentities"],
    ...["setDestination", "setRelayState", "setLifetimeInSeconds", "setSignResponse", "setNameIdentifierFormat"],
    ...["setNameIdentifierProbes", "setAuthnContextClassRef", "setSigningCert", "setIncludeAttributeNameFormat"],
    ...["setTypedAttributes", "setCert", "setKey", "setSignatureAlgorithm", "setDigestAlgorithm"],
    "setEncryptionAlgorithm",
  ],
  session: [
    ...["revoke", "setExpiresAt", "setIdleExpiresAt", "setCookieMode"],
    ...["setMetadata", "deleteMetadata", "evictMetadata"],
  ],
  transaction: ["setMetadata"],
  user: ["setAppMetadata", "setUserMetadata"],
  validation: ["error"],
};
// Commands that one handler alone has.
const OF_HANDLER = {
  onContinuePostLogin: { authentication: ["recordMethod"] },
  onExecuteCustomTokenExchange: {
    access: ["rejectInvalidSubjectToken"],
    authentication: ["setUserById", "setUserByConnection", "setOrganization"],
  },
};
const WITHOUT_CHAIN = new Set(["challengeWith", "challengeWithAny", "enrollWith", "enrollWithAny"]);

const isText = (value) => typeof value === "string";
const must = (condition, message) => {
  if (!condition) throw new Error(message);
};

// What is refused at the call itself. Everything else is judged by who carries the commands out.
const CHECKS = {
  "multifactor.enable": ([provider]) => must(PROVIDERS.includes(provider), `Unknown multifactor provider: ${provider}`),
  "access.deny": ([reason]) => must(isText(reason), "api.access.deny needs a reason."),
  "redirect.sendUserTo": ([url], earlier) => {
    must(isText(url) && URL.canParse(url), "api.redirect.sendUserTo needs a URL.");
    must(!earlier.includes("prompt.render"), "An Action can't both render a form and redirect.");
  },
  "prompt.render": ([id], earlier) => {
    must(isText(id) && id, "api.prompt.render needs the id of a form.");
    must(!earlier.includes("prompt.render"), "An Action can render one form only.");
    must(!earlier.includes("redirect.sendUserTo"), "An Action can't both render a form and redirect.");
  },
  "user.setAppMetadata": ([name]) => must(isText(name) && name, "The name of a metadata property must be a string."),
  "user.setUserMetadata": ([name]) => must(isText(name) && name, "The name of a metadata property must be a string."),
  "authentication.setPrimaryUser": ([id], earlier) => {
    must(isText(id) && id.length <= 128, "The primary user's id must be a string of at most 128 characters.");
    must(!earlier.includes("authentication.setPrimaryUser"), "The primary user can be set only once.");
  },
  "transaction.setMetadata": ([key, value]) => {
    must(isText(key) && key.length <= METADATA_KEY, `A metadata key has at most ${METADATA_KEY} characters.`);
    const allowed = value === null || ["string", "number", "boolean"].includes(typeof value);
    must(allowed, "A transaction metadata value is a string, a number or a boolean.");
    must(String(value).length <= METADATA_VALUE, `A metadata value has at most ${METADATA_VALUE} characters.`);
  },
};

/** Arguments as they are now: what the code does to its objects later must not change them. */
function frozenCopy(given) {
  return JSON.parse(JSON.stringify(given, (key, value) => (typeof value === "bigint" ? String(value) : value)));
}

function setTransactionMetadata(event, [key, value]) {
  const metadata = { ...event.transaction?.metadata, [key]: value };
  if (value === null) delete metadata[key];
  must(JSON.stringify(metadata).length <= METADATA_TOTAL, "Transaction metadata is larger than 16 kB.");
  event.transaction = { ...event.transaction, metadata };
}

function apiFor({ event, handler, cache, now, rules }, commands) {
  const api = {};
  const record = (name, given) => {
    CHECKS[name]?.(given, commands.map((command) => command.name));
    commands.push({ name, arguments: frozenCopy(given) });
    if (name === "transaction.setMetadata") setTransactionMetadata(event, given);
    return api;
  };
  for (const [group, names] of Object.entries(COMMANDS)) {
    api[group] = {};
    for (const name of [...names, ...(OF_HANDLER[handler]?.[group] ?? [])]) {
      const call = (...given) => record(`${group}.${name}`, given);
      api[group][name] = WITHOUT_CHAIN.has(name) ? (...given) => void call(...given) : call;
    }
  }
  api.redirect.encodeToken = (options) => encodeToken(event, now, options);
  api.redirect.validateToken = (options) => validateToken(event, now, options);
  api.rules = { wasExecuted: (id) => rules.includes(id) };
  api.cache = cacheOn(cache, now);
  return api;
}

let loaded; // this process serves one Action only, as a container at Auth0 does

async function run(request, commands) {
  loaded ??= evaluate(request.code, FILE).exports;
  const handler = loaded[request.handler];
  must(typeof handler === "function", `The Action does not export ${request.handler}.`);
  const event = { ...request.event, secrets: { ...request.secrets } };
  const offset = (request.now ?? Date.now()) - Date.now();
  const now = () => Date.now() + offset;
  const context = { event, handler: request.handler, cache: request.cache, now, rules: request.rules ?? [] };
  await handler(event, apiFor(context, commands));
}

module.exports = { run, FILE };
