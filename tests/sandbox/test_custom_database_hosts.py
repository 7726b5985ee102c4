"""Which hosts the scripts of a custom database may reach: those that its configuration names, and no other."""

from __future__ import annotations

import pytest

from sandbox.login.custom_database import hosts


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("postgresql://u:p@127.0.0.1:5555/shop?sslmode=disable", ["127.0.0.1:5555"]),
        ("mysql://u:p@db.example/shop", ["db.example:3306"]),
        ("https://api.example/users", ["api.example:443"]),
        ("Server=tcp:db.example,1444;User Id=u;Password=p", ["db.example:1444"]),
        ("db.example:5432", ["db.example:5432"]),
        ("a sentence, no host", []),
        ("12345", []),
        ("postgresql://u:p@db.example:notaport/x", []),
    ],
)
def test_an_address_of_the_configuration_names_one_host_and_port(value: str, names: list[str]) -> None:
    assert hosts({"DATABASE_URL": value}) == names


def test_an_address_without_scheme_and_port_stands_for_the_usual_ports() -> None:
    assert {"db.example:5432", "db.example:3306", "db.example:443"} <= set(hosts({"HOST": "db.example"}))
