"""Auth0's password policies, and the token bucket of the rate limits."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import password_policy, passwords
from sandbox.conditions import Bucket
from sandbox.plans import PLANS, group_of

OWN_WORDS = {"password_dictionary": {"enable": True, "dictionary": ["larkspur1!"]}}
ADA = {"email": "ada.norton@larkspur.example", "name": "Ada Norton", "username": "adan"}


@pytest.mark.parametrize(
    ("policy", "refused", "taken"),
    [
        ("none", [], ["a", "password"]),
        ("low", ["abcde"], ["abcdef"]),
        ("fair", ["abcdefgh", "Abcdefgh", "Abcde1"], ["Abcdefg1"]),
        ("good", ["abcdefgh", "Abcdefgh", "Abcd!1"], ["Abcdefg1", "abcdef1!", "ABCDEF1!"]),
        ("excellent", ["Abcdefg1!", "Aaaabcdef1!", "abcdefghij"], ["Abcdefgh1!", "Aabbccdd1!"]),
    ],
)
def test_a_policy_takes_what_auth0_takes(policy: str, refused: list[str], taken: list[str]) -> None:
    options = {"passwordPolicy": policy}
    for password in refused:
        assert password_policy.problem(options, password, {}) == "PasswordStrengthError: Password is too weak", password
    for password in taken:
        assert password_policy.problem(options, password, {}) is None, password


def test_a_minimal_length_overrides_the_policys() -> None:
    options = {"passwordPolicy": "low", "password_complexity_options": {"min_length": 12}}
    assert password_policy.problem(options, "elevenchars", {})
    assert password_policy.problem(options, "twelve chars", {}) is None


@pytest.mark.parametrize(
    ("options", "password", "name"),
    [
        ({}, "Aa1!" * 19, "PasswordTooLong"),
        ({"password_dictionary": {"enable": True}}, "P@ssw0rd", "PasswordDictionaryError"),
        (
            {"password_dictionary": {"enable": True, "dictionary": ["larkspur1!"]}},
            "Larkspur1!",
            "PasswordDictionaryError",
        ),
        ({"password_no_personal_info": {"enable": True}}, "My-norton-1", None),
        ({"password_no_personal_info": {"enable": True}}, "Ada.Norton-1", "PasswordNoUserInfoError"),
        ({"password_no_personal_info": {"enable": True}}, "Xadan-2026", "PasswordNoUserInfoError"),
        ({"password_history": {"enable": True, "size": 1}}, "First-demo-1", "PasswordHistoryError"),
        ({"password_history": {"enable": True, "size": 1}}, "Older-demo-1", None),
        ({"password_history": {"enable": False}}, "First-demo-1", None),
    ],
)
def test_each_option_of_a_policy_has_an_error_of_its_own(options: Any, password: str, name: str | None) -> None:
    earlier = [passwords.hash("First-demo-1"), passwords.hash("Older-demo-1")]
    problem = password_policy.problem({"passwordPolicy": "good", **options}, password, ADA, earlier)
    assert (problem.partition(":")[0] if problem else None) == name


STRICT = {
    "complexity": {
        "min_length": 12, "character_types": ["lowercase", "number", "special", "uppercase"],
        "character_type_rule": "three_of_four", "identical_characters": "block", "sequential_characters": "block",
        "max_length_exceeded": "truncate",
    },
    "profile_data": {"active": True, "blocked_fields": ["email", "user_metadata.first"]},
    "history": {"active": True, "size": 1},
    "dictionary": {"active": True, "custom": ["Delphinium-x-7"], "default": "en_10k"},
}  # fmt: skip
LOOSE = {
    "complexity": {"min_length": 15, "character_types": ["number"], "character_type_rule": "all"},
    "profile_data": {"active": False, "blocked_fields": ["email"]},
    "history": {"active": False, "size": 3},
    "dictionary": {"active": False, "custom": ["pillow pillow 1"]},
}


@pytest.mark.parametrize(
    ("options", "password", "name"),
    [
        (LOOSE, "fourteen chars", "PasswordStrengthError"),
        (LOOSE, "fifteen letters", "PasswordStrengthError"),
        (LOOSE, "ada.norton 1111", None),
        (LOOSE, "pillow pillow 1", None),
        (LOOSE, "a1" * 37, "PasswordTooLong"),
        (STRICT, "a1" * 37, "PasswordStrengthError"),
        (STRICT, "Wa1!" * 19, None),
        (STRICT, "Quiet-hilltop", None),
        (STRICT, "quiet-hilltop", "PasswordStrengthError"),
        (STRICT, "Quiet-hillltop", "PasswordStrengthError"),
        (STRICT, "Quiet-hill-345", "PasswordStrengthError"),
        (STRICT, "Quiet-hill-cba", "PasswordStrengthError"),
        (STRICT, "delphinium-X-7", "PasswordDictionaryError"),
        (STRICT, "The-Ada.Norton", "PasswordNoUserInfoError"),
        (STRICT, "The-lovelace-9", "PasswordNoUserInfoError"),
        (STRICT, "Winter-hilltop", "PasswordHistoryError"),
        (STRICT, "Summer-hilltop", None),
    ],
)
def test_the_flexible_policy_asks_for_what_it_says(options: Any, password: str, name: str | None) -> None:
    earlier = [passwords.hash("Winter-hilltop"), passwords.hash("Summer-hilltop")]
    user = {**ADA, "user_metadata": {"first": "Lovelace"}}
    problem = password_policy.problem({"password_options": options}, password, user, earlier)
    assert (problem.partition(":")[0] if problem else None) == name


def test_the_older_policy_holds_while_a_connection_shows_both() -> None:
    both = {"passwordPolicy": "low", "password_options": STRICT}
    assert password_policy.problem(both, "simple", {}) is None
    assert password_policy.of(both).sentences() == ["At least 6 characters in length"]
    assert password_policy.of({"password_options": STRICT}).sentences() == [
        "At least 12 characters in length",
        "At least 3 of: lower case letters, upper case letters, numbers, special characters",
        "No more than 2 identical characters in a row",
        "No sequences such as abc or 123",
    ]


@pytest.mark.parametrize(
    "stored",
    [None, "", "text", "$2b$nonsense", "$argon2id$nonsense", "$pbkdf2-sha256$x", "{SSHA}!!", {}, {"algorithm": "rot13"},
     {"algorithm": "md5"}, {"algorithm": "hmac", "hash": {"value": "zz", "encoding": "hex"}}],
)  # fmt: skip
def test_a_damaged_hash_lets_nobody_in(stored: Any) -> None:
    assert passwords.check(stored, "anything") is False


def test_a_bucket_empties_and_fills_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_790_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    bucket = Bucket(burst=2, per_second=0.5)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    assert [int(value) for _, value in bucket.headers()] == [2, 0, int(now) + 2]
    now += 1.5
    assert not bucket.take()
    now += 0.5
    assert bucket.take()


def test_a_bucket_that_never_fills_says_so() -> None:
    bucket = Bucket(burst=1, per_second=0)
    assert bucket.take()
    assert not bucket.take()
    assert bucket.retry_after_seconds() == 86_400


def test_each_plan_knows_a_bucket_for_every_endpoint() -> None:
    paths = ("/api/v2/users", "/api/v2/clients", "/api/v2/roles", "/oauth/token", "/userinfo", "/dbconnections/signup")
    for plan, groups in PLANS.items():
        for path in paths:
            for method in ("GET", "POST"):
                assert group_of(plan, method, path) in groups, (plan, path)
    assert group_of("free", "GET", "/authorize") is None
    assert group_of("free", "GET", "/u/login") is None
