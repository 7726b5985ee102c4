// A web application built on express-openid-connect. Prints its address once it listens; ends with its standard input.
const express = require("express");
const { auth, requiresAuth } = require("express-openid-connect");

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const app = express();
app.use(
  auth({
    authRequired: false,
    baseURL: `http://localhost:${PORT}`,
    issuerBaseURL: ISSUER,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    secret: "only-for-this-test-only-for-this-test",
    idpLogout: true,
    authorizationParams: { response_type: "code", scope: "openid profile email" },
  }),
);
app.get("/me", requiresAuth(), async (request, response) => {
  response.json({ claims: request.oidc.idTokenClaims, info: await request.oidc.fetchUserInfo() });
});
app.get("/", (request, response) => response.json({ signedIn: request.oidc.isAuthenticated() }));
app.listen(Number(PORT), "127.0.0.1", () => console.log("listening"));
process.stdin.on("end", () => process.exit(0)).resume();
