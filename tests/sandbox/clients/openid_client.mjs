// An application built on openid-client. Prints where the browser has to go, reads where it came back to, prints claims.
import { createInterface } from "node:readline/promises";
import * as oidc from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, CALLBACK, LOGGED_OUT } = process.env;
const lines = createInterface({ input: process.stdin });
const say = (value) => console.log(JSON.stringify(value));

const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET);
const verifier = oidc.randomPKCECodeVerifier();
const checks = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
say({
  go: oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: "openid profile email offline_access",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  }).href,
});
const { value: landed } = await lines[Symbol.asyncIterator]().next();
const tokens = await oidc.authorizationCodeGrant(config, new URL(landed), checks);
const claims = tokens.claims();
const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
await oidc.tokenRevocation(config, tokens.refresh_token);
const refused = await oidc.refreshTokenGrant(config, tokens.refresh_token).catch((error) => error.error);
const logout = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: LOGGED_OUT });
say({ claims, info, refreshed: refreshed.claims().sub, refused, logout: logout.href });
process.exit(0);
