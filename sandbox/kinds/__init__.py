"""The Management API: tables of kinds and settings, and code where a row cannot say it.

Importing this package registers every endpoint; `sandbox.kinds.api.Api(tenant)` answers them.
"""
