// An application built on openid-client that binds its tokens to a key. One with a secret pushes its request, too; one
// without an id registers itself first.
// Prints where the browser has to go, reads where it came back to, prints what it got.
import { createInterface } from "node:readline/promises";
import * as oidc from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, CALLBACK } = process.env;
const lines = createInterface({ input: process.stdin });
const say = (value) => console.log(JSON.stringify(value));

const proves = CLIENT_SECRET ? oidc.ClientSecretPost(CLIENT_SECRET) : oidc.None();
const itself = { client_name: "Self-made", redirect_uris: [CALLBACK], token_endpoint_auth_method: "none" };
const grants = { grant_types: ["authorization_code", "refresh_token"] };
const config = CLIENT_ID
  ? await oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, proves)
  : await oidc.dynamicClientRegistration(new URL(ISSUER), { ...itself, ...grants }, proves);
const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
const verifier = oidc.randomPKCECodeVerifier();
const wanted = {
  redirect_uri: CALLBACK,
  scope: "openid email offline_access",
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
};
const url = CLIENT_SECRET
  ? await oidc.buildAuthorizationUrlWithPAR(config, wanted, { DPoP })
  : oidc.buildAuthorizationUrl(config, { ...wanted, dpop_jkt: await DPoP.calculateThumbprint() });
say({ go: url.href, asked: [...url.searchParams.keys()] });
const { value: landed } = await lines[Symbol.asyncIterator]().next();
const checks = { pkceCodeVerifier: verifier };
const tokens = await oidc.authorizationCodeGrant(config, new URL(landed), checks, undefined, { DPoP });
const info = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP });
const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
const elsewhere = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
const stolen = await oidc
  .refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: elsewhere })
  .catch((error) => error.error);
say({ types: [tokens.token_type, refreshed.token_type], info, stolen });
process.exit(0);
