"""What the Actions of one login have asked for, gathered over all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

MOST_METADATA_BYTES = 32_000
# Claims that Actions can't set: they carry the protocol (docs: Create Custom Claims).
RESERVED_CLAIMS = frozenset(
    ["acr", "act", "active", "amr", "at_hash", "ath", "attest", "aud", "auth_time", "authorization_details", "azp"]
    + ["c_hash", "client_id", "cnf", "cty", "dest", "entitlements", "events", "exp", "gty", "htm", "htu", "iat"]
    + ["internalService", "iss", "jcard", "jku", "jti", "jwe", "jwk", "kid", "may_act", "mky", "nbf", "nonce"]
    + [
        "object_id",
        "org_id",
        "org_name",
        "orig",
        "origid",
        "permissions",
        "rcd",
        "s_hash",
        "scope",
        "sid",
        "sip_callid",
    ]
    + ["sip_cseq_num", "sip_date", "sip_from_tag", "sip_via_branch", "sub", "sub_jwk", "toe", "txn", "typ", "uuid"]
    + ["vot", "vtm", "x5t#S256"]
)


@dataclass
class FactorCommand:
    """challengeWith, challengeWithAny, enrollWith or enrollWithAny; the first factor is the default one."""

    kind: str
    factors: list[Any]
    any_of: bool

    @property
    def enrolls(self) -> bool:
        return self.kind == "enroll"


@dataclass
class Effects:
    access_claims: dict[str, Any] = field(default_factory=dict)
    id_claims: dict[str, Any] = field(default_factory=dict)
    added_scopes: list[str] = field(default_factory=list)
    removed_scopes: list[str] = field(default_factory=list)
    app_metadata: dict[str, Any] = field(default_factory=dict)
    user_metadata: dict[str, Any] = field(default_factory=dict)
    transaction_metadata: dict[str, Any] = field(default_factory=dict)
    multifactor: str | None = None
    allow_remember_browser: bool = False
    provider_options: dict[str, Any] = field(default_factory=dict)
    denied: tuple[str, str] | None = None
    # What the person reads, where the trigger lets an Action say it apart from the reason.
    denied_message: str = ""
    redirect: str | None = None
    prompt: dict[str, Any] | None = None
    primary_user: str | None = None
    # Of a custom token exchange: why the subject token is none, and the calls that say whose it is.
    rejected_subject_token: str | None = None
    named_users: list[tuple[Any, ...]] = field(default_factory=list)
    named_organization: str | None = None
    session: dict[str, Any] = field(default_factory=dict)
    refresh_token: dict[str, Any] = field(default_factory=dict)
    recorded_methods: list[str] = field(default_factory=list)
    # Those of the Action that ran last; carried out before the next one starts.
    factor_commands: list[FactorCommand] = field(default_factory=list)

    def too_large(self) -> str:
        """What is wrong with the amount of metadata that was set, "" when nothing is."""
        for name in ("app_metadata", "user_metadata"):
            if len(orjson.dumps(getattr(self, name))) > MOST_METADATA_BYTES:
                return f"{name} is larger than {MOST_METADATA_BYTES // 1000} kB"
        return ""

    def apply(self, commands: list[dict[str, Any]]) -> None:
        """Take over what one Action called, in order; calls that Auth0 ignores are ignored."""
        for command in commands:
            act = _ACTS.get(command["name"])
            if act is not None:
                act(self, *_padded(command["arguments"]))


def _padded(arguments: list[Any]) -> list[Any]:
    return [*arguments, None, None, None][:3]


def _claim(target: str) -> Callable[..., None]:
    def act(effects: Effects, name: Any, value: Any, _: Any) -> None:
        if isinstance(name, str) and name and name not in RESERVED_CLAIMS:
            claims: dict[str, Any] = getattr(effects, target)
            if value is None:
                claims.pop(name, None)
            else:
                claims[name] = value

    return act


def _metadata(target: str) -> Callable[..., None]:
    def act(effects: Effects, name: Any, value: Any, _: Any) -> None:
        if isinstance(name, str) and name:
            getattr(effects, target)[name] = value

    return act


def _add_scope(effects: Effects, scope: Any, *_: Any) -> None:
    if isinstance(scope, str) and scope:
        effects.added_scopes = [*(s for s in effects.added_scopes if s != scope), scope]
        effects.removed_scopes = [s for s in effects.removed_scopes if s != scope]


def _remove_scope(effects: Effects, scope: Any, *_: Any) -> None:
    if isinstance(scope, str):
        effects.added_scopes = [s for s in effects.added_scopes if s != scope]
        effects.removed_scopes = [*effects.removed_scopes, scope]


def _deny(effects: Effects, reason: Any, message: Any, _: Any) -> None:
    if effects.denied is None:
        effects.denied = ("access_denied", str(reason or ""))
        effects.denied_message = str(message or "")


def _validation_error(effects: Effects, code: Any, message: Any, _: Any) -> None:
    effects.denied = effects.denied or (str(code or "invalid_request"), str(message or ""))


def _multifactor(effects: Effects, provider: Any, options: Any, _: Any) -> None:
    effects.multifactor = str(provider)
    options = options if isinstance(options, dict) else {}
    effects.allow_remember_browser = options.get("allowRememberBrowser") is True
    own = options.get("providerOptions")
    effects.provider_options = own if isinstance(own, dict) and provider == "duo" else {}


def _factors(kind: str, any_of: bool) -> Callable[..., None]:
    def act(effects: Effects, first: Any, options: Any, _: Any) -> None:
        wanted = list(first) if isinstance(first, list) else [first]
        if not any_of and isinstance(options, dict) and isinstance(options.get("additionalFactors"), list):
            wanted += options["additionalFactors"]
        effects.factor_commands.append(FactorCommand(kind, wanted, any_of))

    return act


def _redirect(effects: Effects, url: Any, options: Any, _: Any) -> None:
    from urllib.parse import urlencode  # noqa: PLC0415 - few Actions redirect

    query = options.get("query") if isinstance(options, dict) else None
    url = str(url)
    if isinstance(query, dict) and query:
        url += ("&" if "?" in url else "?") + urlencode({str(k): str(v) for k, v in query.items()})
    effects.redirect = url


def _prompt(effects: Effects, id: Any, options: Any, _: Any) -> None:
    options = options if isinstance(options, dict) else {}
    filled = {name: options[name] if isinstance(options.get(name), dict) else {} for name in ("fields", "vars")}
    effects.prompt = {"id": str(id), **filled}


def _primary_user(effects: Effects, user_id: Any, *_: Any) -> None:
    effects.primary_user = effects.primary_user or str(user_id)


def _reject_subject_token(effects: Effects, reason: Any, *_: Any) -> None:
    effects.rejected_subject_token = str(reason or "")


def _named_user(effects: Effects, *given: Any) -> None:
    effects.named_users.append(given)


def _named_organization(effects: Effects, name: Any, *_: Any) -> None:
    effects.named_organization = str(name)


def _record_method(effects: Effects, url: Any, *_: Any) -> None:
    effects.recorded_methods.append(str(url))


def _cookie_mode(effects: Effects, mode: Any, *_: Any) -> None:
    effects.session["cookie_mode"] = mode


def _revoke(target: str) -> Callable[..., None]:
    def act(effects: Effects, reason: Any, options: Any, _: Any) -> None:
        preserves = isinstance(options, dict) and options.get("preserveRefreshTokens") is True
        getattr(effects, target).update({"revoked": str(reason or ""), "preserves_refresh_tokens": preserves})

    return act


def _expiry(target: str, name: str) -> Callable[..., None]:
    """Of several calls the earliest counts."""

    def act(effects: Effects, value: Any, *_: Any) -> None:
        asked, instant = getattr(effects, target), _instant(value)
        if instant is not None:
            asked[name] = min(instant, asked.get(name, instant))

    return act


def _change_metadata(target: str) -> Callable[..., None]:
    def act(effects: Effects, key: Any, value: Any, _: Any) -> None:
        if isinstance(key, str):
            getattr(effects, target).setdefault("metadata", {})[key] = value

    return act


def _evict_metadata(target: str) -> Callable[..., None]:
    def act(effects: Effects, *_: Any) -> None:
        getattr(effects, target)["evict"] = True
        getattr(effects, target).pop("metadata", None)

    return act


def _instant(value: Any) -> str | None:
    """Milliseconds since the epoch (or ISO 8601) -> ISO 8601."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e14:
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return value if isinstance(value, str) else None


def _session_and_token(group: str, target: str) -> dict[str, Callable[..., None]]:
    return {
        f"{group}.revoke": _revoke(target),
        f"{group}.setExpiresAt": _expiry(target, "expires_at"),
        f"{group}.setIdleExpiresAt": _expiry(target, "idle_expires_at"),
        f"{group}.setMetadata": _change_metadata(target),
        f"{group}.deleteMetadata": _change_metadata(target),
        f"{group}.evictMetadata": _evict_metadata(target),
    }


_ACTS: dict[str, Callable[..., None]] = {
    "access.deny": _deny,
    "validation.error": _validation_error,
    "access.rejectInvalidSubjectToken": _reject_subject_token,
    "accessToken.setCustomClaim": _claim("access_claims"),
    "accessToken.addScope": _add_scope,
    "accessToken.removeScope": _remove_scope,
    "idToken.setCustomClaim": _claim("id_claims"),
    "authentication.challengeWith": _factors("challenge", any_of=False),
    "authentication.challengeWithAny": _factors("challenge", any_of=True),
    "authentication.enrollWith": _factors("enroll", any_of=False),
    "authentication.enrollWithAny": _factors("enroll", any_of=True),
    "authentication.recordMethod": _record_method,
    "authentication.setOrganization": _named_organization,
    "authentication.setPrimaryUser": _primary_user,
    "authentication.setUserByConnection": _named_user,
    "authentication.setUserById": _named_user,
    "multifactor.enable": _multifactor,
    "prompt.render": _prompt,
    "redirect.sendUserTo": _redirect,
    "user.setAppMetadata": _metadata("app_metadata"),
    "user.setUserMetadata": _metadata("user_metadata"),
    "transaction.setMetadata": _metadata("transaction_metadata"),
    "session.setCookieMode": _cookie_mode,
    **_session_and_token("session", "session"),
    **_session_and_token("refreshToken", "refresh_token"),
}
