"""Fixtures of a person at a browser."""
