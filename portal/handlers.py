"""The kernel's own background work, registered by kind."""

from __future__ import annotations

from portal import runs, verification

runs.handler(verification.RUN_KIND)(verification.carry_out)
