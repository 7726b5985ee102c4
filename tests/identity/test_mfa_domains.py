"""Lists of e-mail domains, as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.mfa import domains


def read(text: str) -> list[str]:
    found = domains.parse(text)
    assert found.problems == []
    return found.domains


def problem(text: str) -> str:
    found = domains.parse(text)
    assert found.domains == []
    return str(found.problems[0])


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("acme.example", "acme.example"),
        ("@acme.example", "acme.example"),
        ("  ACME.Example  ", "acme.example"),
        ("acme.example.", "acme.example"),
        ("*.acme.example", "*.acme.example"),
        (".acme.example", "*.acme.example"),
        ("@*.acme.example", "*.acme.example"),
        ("müller.example", "xn--mller-kva.example"),
        ("MÜLLER.example", "xn--mller-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("xn--mller-kva.example", "xn--mller-kva.example"),
        ("例え.example", "xn--r8jz45g.example"),
    ],
)
def test_an_entry_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert read(typed) == [kept]


def test_whatever_is_read_differently_from_how_it_was_typed_is_said() -> None:
    notes = [str(note) for note in domains.parse("acme.example\n@Beta.example\n*.gamma.example\nmüller.example").notes]
    assert notes[0] == "Line 2: “@Beta.example” is read as beta.example."
    assert notes[1].startswith("Line 3: “*.gamma.example” means every sub-domain of gamma.example, not gamma.example")
    assert notes[2] == "Line 4: “müller.example” is read as xn--mller-kva.example (müller.example)."


def test_entries_may_be_separated_by_lines_commas_semicolons_and_spaces() -> None:
    assert read("a.example, b.example;c.example d.example\r\n\n e.example") == [f"{x}.example" for x in "abcde"]


def test_a_duplicate_is_kept_once_and_named_with_both_lines() -> None:
    found = domains.parse("acme.example\nbeta.example\n@ACME.example")
    assert found.domains == ["acme.example", "beta.example"]
    assert str(found.notes[0]) == "Line 3: “@ACME.example” is in the list already (line 1); kept once."


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("ada@acme.example", "Write acme.example if everybody there is meant"),
        ("https://acme.example/login", "is a web address. Write the domain alone: acme.example."),
        ("com", "is a single word"),
        ("localhost", "is a single word"),
        ("acme..example", "two dots in a row"),
        ("*", "the star may only stand at the front"),
        ("ac*me.example", "the star may only stand at the front"),
        ("*.", "holds no domain"),
        ("@", "holds no domain"),
        ("192.168.0.1", "a number or a network address"),
        ("[::1]", "a number or a network address"),
        ("acme.example:443", "has no port"),
        ("-acme.example", "is not a domain"),
        ("ac_me.example", "is not a domain"),
        ("a" * 64 + ".example", "at most 63 characters"),
        (".".join(["a" * 60] * 5), "longer than the 253 characters"),
        ("<script>.example", "is not a domain"),
        ("☃️.example", "holds characters that no domain may have"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_with_what_to_do(typed: str, says: str) -> None:
    text = problem(f"\n\n{typed}")
    assert text.startswith("Line 3: ")
    assert says in text


def test_one_mistake_does_not_hide_the_others() -> None:
    found = domains.parse("good.example\ncom\nalso-good.example\n@")
    assert found.domains == ["good.example", "also-good.example"]
    assert [note.line for note in found.problems] == [2, 4]


def test_an_empty_list_is_empty_and_no_mistake() -> None:
    assert domains.parse(" \n\n,;") == domains.Domains()


def test_a_public_mail_service_is_pointed_out() -> None:
    assert "public mail service" in str(domains.parse("gmail.com").notes[0])


def test_a_thousand_entries_are_read() -> None:
    found = domains.parse("\n".join(f"company-{n}.example" for n in range(1000)))
    assert (len(found.domains), found.problems) == (1000, [])


@given(st.text(max_size=60))
def test_nonsense_never_breaks_the_reading_and_what_is_kept_stays_as_it_is(text: str) -> None:
    for domain in domains.parse(text).domains:
        assert domains.normalised(domain) == domain
        assert domains.normalised(domains.in_unicode(domain)) == domain
