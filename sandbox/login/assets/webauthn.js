// Asks an authenticator what the form's data-options say, and sends its answer (or the browser's error) with the form.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const ANSWERS = ["attestationObject", "authenticatorData", "clientDataJSON", "signature", "userHandle"];
const supported = window.isSecureContext && "PublicKeyCredential" in window;

function decoded(json) {
  const options = JSON.parse(json);
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const key of [...(options.allowCredentials ?? []), ...(options.excludeCredentials ?? [])]) key.id = bytes(key.id);
  return options;
}

function encoded({ id, rawId, type, authenticatorAttachment, response }) {
  const given = ANSWERS.filter((name) => response[name]).map((name) => [name, text(response[name])]);
  const transports = response.getTransports ? { transports: response.getTransports() } : {};
  const answer = { ...Object.fromEntries(given), ...transports };
  return JSON.stringify({ id, rawId: text(rawId), type, authenticatorAttachment, response: answer });
}

function send(form, action, answer) {
  form.elements[form.dataset.answer].value = answer;
  form.elements.action.value = action;
  form.submit();
}

async function ask(form, more = {}) {
  const publicKey = decoded(form.dataset.options);
  return navigator.credentials[form.dataset.ceremony]({ publicKey, ...more });
}

async function answerByButton(form) {
  try {
    send(form, "default", encoded(await ask(form)));
  } catch (error) {
    send(form, `showError::${JSON.stringify({ name: error.name, message: error.message })}`, "");
  }
}

/** The browser offers passkeys while the person types an address; nothing is said when none is chosen. */
async function answerByAutofill(form, signal) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  try {
    const found = await ask(form, { mediation: "conditional", signal });
    if (found) send(form, "default", encoded(found));
  } catch (error) {
    if (!["AbortError", "NotAllowedError"].includes(error.name)) throw error;
  }
}

for (const form of document.querySelectorAll("form[data-ceremony]")) {
  const waiting = new AbortController();
  const hidden = form.querySelector("[data-needs-webauthn]");
  if (hidden && supported) hidden.hidden = false;
  form.addEventListener("submit", (event) => {
    if (!supported) return;
    event.preventDefault();
    waiting.abort();
    answerByButton(form);
  });
  if (form.dataset.autofill !== undefined && supported) answerByAutofill(form, waiting.signal);
}
