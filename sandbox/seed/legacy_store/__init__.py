"""Custom database scripts of the demo."""
