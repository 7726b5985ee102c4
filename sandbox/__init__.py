"""Local Auth0 tenants: a program of its own, for the demo, the tests, and anyone who develops against Auth0."""
