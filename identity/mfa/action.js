// What Auth0 reports for sign-ins in which nobody sits at a screen.
const REFRESH_TOKEN = "oauth2-refresh-token";
const PASSWORD_GRANTS = ["oauth2-password", "oauth2-resource-owner"];

/** The domain of the user's address in lower case, without an ending dot; "" where there is no address. */
function domainOf(user) {
  const address = String(user.email ?? "").normalize("NFKC").trim().toLowerCase().replace(/\.+$/, "");
  const at = address.lastIndexOf("@");
  return at < 0 ? "" : address.slice(at + 1);
}

/** Whole domains only: acme.example.evil.example is not acme.example. */
function hasDomain(user, domains, subdomainsOf) {
  const domain = domainOf(user);
  if (domains.has(domain)) return true;
  for (let dot = domain.indexOf("."); dot >= 0; dot = domain.indexOf(".", dot + 1)) {
    if (subdomainsOf.has(domain.slice(dot + 1))) return true;
  }
  return false;
}

/** The first rule that fits decides. */
function ruleFor(event) {
  const rule = RULES.find((candidate) => candidate.applies(event));
  if (rule || domainOf(event.user) || MISSING_EMAIL === "skip") return rule;
  return { name: "no e-mail address", factors: ALL_FACTORS, deny: MISSING_EMAIL === "deny" };
}

/** MFA with a factor that the rule allows, in this session. A recovery code is none. */
function passed(event, rule) {
  const methods = event.authentication?.methods ?? [];
  return methods.some((m) => m.name === "mfa" && (m.type === undefined || rule.factors.includes(m.type)));
}

/** What a person at the sign-in page must do. Asks only for what is enrolled; enrols only where nothing is. */
function steps(event, rule) {
  const enrolled = event.user.enrolledFactors;
  // Auth0 could not tell: leave both asking and enrolling to it.
  if (!Array.isArray(enrolled)) return { act: "any", why: "enrolled factors are not known" };

  const types = enrolled.map((factor) => factor.type).filter((type) => type !== "recovery-code");
  const usable = rule.factors.filter((type) => types.includes(type));
  if (usable.length > 0) return { act: "challenge", challenge: usable };

  const enrol = rule.factors.filter((type) => type !== "email");
  // Auth0 lets somebody who has a factor add another one only after passing the old one.
  const others = types.filter((type) => type !== "email");
  if (others.length > 0) return { act: "challenge then enrol", challenge: others, enrol };

  if (UNVERIFIED_EMAIL === "deny" && event.user.email && event.user.email_verified !== true) {
    return { act: "deny", why: "the e-mail address is not verified", reason: "Verify your e-mail address first." };
  }
  return { act: "enrol", enrol };
}

function decide(event) {
  const protocol = event.transaction?.protocol;
  // The sign-in that the refresh token came from was checked, and nobody is there to answer.
  if (protocol === REFRESH_TOKEN) return { act: "nothing", why: "refresh token" };

  const rule = ruleFor(event);
  if (!rule) return { act: "nothing", why: "no rule fits" };
  const decision = (said) => ({ rule: rule.name, ...said });
  if (rule.deny) {
    return decision({ act: "deny", reason: "Your account needs an e-mail address. Please contact support." });
  }
  if (passed(event, rule)) return decision({ act: "nothing", why: "MFA was passed in this session" });
  if (!PASSWORD_GRANTS.includes(protocol)) return decision(steps(event, rule));
  if (PASSWORD_GRANT === "ask") return decision({ act: "any", why: "password grant" });
  return decision({ act: "deny", why: "password grant", reason: "This application must use the sign-in page." });
}

const asFactors = (types) => types.map((type) => ({ type }));

const ACTS = {
  nothing: () => {},
  deny: (api, { reason }) => api.access.deny(reason),
  any: (api) => api.multifactor.enable("any", { allowRememberBrowser: false }),
  challenge: (api, { challenge }) => api.authentication.challengeWithAny(asFactors(challenge)),
  enrol: (api, { enrol }) => api.authentication.enrollWithAny(asFactors(enrol)),
  "challenge then enrol": (api, { challenge, enrol }) => {
    api.authentication.challengeWithAny(asFactors(challenge));
    api.authentication.enrollWithAny(asFactors(enrol));
  },
};

exports.onExecutePostLogin = async (event, api) => {
  try {
    const decision = decide(event);
    ACTS[decision.act](api, decision);
    // For the Action's log: which rule decided and what it asked for; nothing about the person.
    console.log(`MFA policy: ${[decision.rule, decision.act, decision.why].filter(Boolean).join("; ")}`);
  } catch (error) {
    console.log(`MFA policy: failed; ${error?.name}`);
    api.access.deny("Your sign-in could not be checked. Please try again.");
  }
};
