/**
 * Puts the customer's loyalty tier into the tokens of the shop, so that prices need no second request.
 */
exports.onExecutePostLogin = async (event, api) => {
  const tier = event.user.app_metadata?.loyalty_tier ?? "seedling";
  api.idToken.setCustomClaim("https://larkspur.example/tier", tier);
  api.accessToken.setCustomClaim("https://larkspur.example/tier", tier);
};
