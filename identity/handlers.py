"""The app's background runs, each defined in its part."""

from identity.mfa import handlers as mfa

__all__ = ["mfa"]
