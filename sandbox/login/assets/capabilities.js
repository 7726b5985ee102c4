// Tells the tenant what this browser can do, in the hidden fields of its forms.
const hasWebAuthn = window.isSecureContext && "PublicKeyCredential" in window;

async function hasPlatformAuthenticator() {
  try {
    return hasWebAuthn && (await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable());
  } catch {
    return false;
  }
}

async function tell(form) {
  form.elements["js-available"].value = "true";
  form.elements["webauthn-available"].value = String(hasWebAuthn);
  form.elements["is-brave"].value = String("brave" in navigator);
  form.elements["webauthn-platform-available"].value = String(await hasPlatformAuthenticator());
  if (form.dataset.capabilities === "submit") form.submit();
}

document.querySelectorAll("form[data-capabilities]").forEach(tell);
