// api.redirect: tokens (HS256 JWTs) to and from the page that a login is sent to.
"use strict";

const { createHmac, timingSafeEqual } = require("node:crypto");

const DEFAULT_LIFETIME_SECONDS = 900;

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));

function signature(signed, secret) {
  if (typeof secret !== "string" || secret === "") throw new Error("A secret is needed to sign or verify the token.");
  return createHmac("sha256", secret).update(signed).digest();
}

/** The token names the user, the tenant and the address that the login came from. */
function encodeToken(event, now, { secret, payload = {}, expiresInSeconds = DEFAULT_LIFETIME_SECONDS } = {}) {
  const seconds = Math.floor(now() / 1000);
  const own = { iat: seconds, exp: seconds + expiresInSeconds, ip: event.request?.ip, sub: event.user?.user_id };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ ...payload, ...own, iss: event.request?.hostname })}`;
  return `${signed}.${signature(signed, secret).toString("base64url")}`;
}

function validateToken(event, now, { secret, tokenParameterName = "session_token" } = {}) {
  const token = event.request?.body?.[tokenParameterName] ?? event.request?.query?.[tokenParameterName];
  if (typeof token !== "string") throw new Error(`The parameter "${tokenParameterName}" holds no token.`);
  const [header, payload, signed, ...rest] = token.split(".");
  if (!signed || rest.length) throw new Error("The session token is malformed.");
  const expected = signature(`${header}.${payload}`, secret);
  const given = Buffer.from(signed, "base64url");
  if (decode(header).alg !== "HS256" || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Error("The session token has an invalid signature.");
  }
  return judged(decode(payload), event, now);
}

function judged(claims, event, now) {
  if (!(claims.exp * 1000 > now())) throw new Error("The session token is expired.");
  const state = event.request?.query?.state ?? event.request?.body?.state;
  if (!claims.state || claims.state !== state) {
    throw new Error("The state in the session token does not match the state of the request.");
  }
  return claims;
}

module.exports = { encodeToken, validateToken };
