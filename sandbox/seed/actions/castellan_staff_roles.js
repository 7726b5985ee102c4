/**
 * Tells Castellan what a member of staff may do: the roles named castellan-*, without that prefix, as one claim.
 */
exports.onExecutePostLogin = async (event, api) => {
  const prefix = "castellan-";
  const roles = (event.authorization?.roles ?? [])
    .filter((role) => role.startsWith(prefix))
    .map((role) => role.slice(prefix.length));
  api.idToken.setCustomClaim("https://castellan.example/roles", roles);
  api.accessToken.setCustomClaim("https://castellan.example/roles", roles);
};
