"""What a person is offered at the end of a login: a passkey, or the device's biometrics as a second factor."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.login import configuration, factor_paths, factors, passkeys
from sandbox.login.subject import MFA, Login
from sandbox.login.transactions import Transaction
from sandbox.users import records

PASSKEY = "/u/passkey-enrollment"
LOCAL_PASSKEY = "/u/passkey-enrollment-local"
BIOMETRICS = factor_paths.ENROLLMENTS["webauthn-platform"]
DELAY_SECONDS = 30 * 86_400
# Internal fields of the user: when a passkey may be offered again, and the devices on which nothing more is offered.
_DELAYED = "_passkey_delayed_until"
_DECLINED = "_declined_on_devices"


def due(transaction: Transaction, login: Login) -> str:
    """The path of the next offer, "" when there is none. Only after a first factor, in a browser that can do it."""
    if transaction.silent or login.capabilities is None or not login.fresh_first_factor or login.linked:
        return ""
    found = (path for path, wanted in _OFFERS.items() if path not in transaction.offered and wanted(transaction, login))
    return next(found, "")


def _passkey(transaction: Transaction, login: Login) -> bool:
    """Progressive enrolment: whoever came with a password and has no passkey yet."""
    by_password = any(method["name"] == "pwd" for method in login.fresh)
    if not by_password or not _may_have_passkey(login) or not (login.capabilities and login.capabilities.webauthn):
        return False
    if passkeys.of_user(login.tenant, login.user_id) or login.user.get(_DELAYED, 0) > login.tenant.now():
        return False
    return bool(passkeys.options(login.connection)["progressive_enrollment_enabled"])


def _local_passkey(transaction: Transaction, login: Login) -> bool:
    """Local enrolment: whoever used the passkey of another device."""
    by_passkey = any(method["name"] == "passkey" for method in login.fresh)
    if (
        not by_passkey
        or not transaction.cross_device
        or not _may_have_passkey(login)
        or _declined(login, LOCAL_PASSKEY)
    ):
        return False
    enabled = passkeys.options(login.connection)["local_enrollment_enabled"]
    return bool(enabled and login.capabilities and login.capabilities.platform)


def _may_have_passkey(login: Login) -> bool:
    return passkeys.has_room(login.tenant, login.user_id) and passkeys.offered(login.tenant, login.connection)


def _biometrics(transaction: Transaction, login: Login) -> bool:
    """Whoever passed another second factor just now, on a device that can tell who holds it."""
    used = [method.get("type") for method in login.fresh if method["name"] == MFA]
    if not used or "duo" in used or _declined(login, BIOMETRICS):
        return False
    offered = configuration.factor_enabled(login.tenant, "webauthn-platform")
    can = login.capabilities is not None and login.capabilities.platform
    return can and offered and not factors.methods(login.tenant, login.user_id, "webauthn-platform")


_OFFERS: dict[str, Callable[[Transaction, Login], bool]] = {
    BIOMETRICS: _biometrics,
    PASSKEY: _passkey,
    LOCAL_PASSKEY: _local_passkey,
}


def _declined(login: Login, path: str) -> bool:
    return f"{path} {login.device}" in login.user.get(_DECLINED, ())


def delay(login: Login) -> None:
    """No passkey for now: ask again in a month."""
    records.update(login.tenant, login.user_id, {_DELAYED: login.tenant.now() + DELAY_SECONDS})


def decline(login: Login, path: str) -> None:
    """Not on this device."""
    declined = [*login.user.get(_DECLINED, ()), f"{path} {login.device}"][-20:]
    records.update(login.tenant, login.user_id, {_DECLINED: declined})
