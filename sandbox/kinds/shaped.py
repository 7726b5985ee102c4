"""Endpoints that no recording shows."""
