"""The app's background runs, each defined in its part."""

from identity.databases import handlers as databases
from identity.mfa import handlers as mfa

__all__ = ["databases", "mfa"]
