"""One module per family of grant types; the table that /oauth/token looks them up in is in `sandbox.login.token`."""
