/**
 * Customers who closed their account keep it for 30 days, but cannot sign in.
 */
exports.onExecutePostLogin = async (event, api) => {
  if (event.user.app_metadata?.closed_at) {
    api.access.deny("This account has been closed. Write to care@larkspur.example to open it again.");
  }
};
