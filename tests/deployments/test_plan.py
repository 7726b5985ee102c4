"""The plan is pure: what is picked arrives, what is not picked stays, and nothing secret is in it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments import fields, plan, variables
from deployments.plan import Pick

names = st.text("abcdefgh/~*.| é", min_size=1, max_size=6).filter(str.strip)
scalars = st.one_of(st.booleans(), st.integers(-5, 5), st.text("abxyz:/", max_size=5))
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)
clients = st.dictionaries(
    names,
    st.fixed_dictionaries(
        {}, optional={"callbacks": st.lists(scalars, max_size=3), "addons": documents, "description": scalars}
    ),
)
bindings = st.lists(st.sampled_from("ABCDE"), unique=True).map(lambda found: [{"action_name": n} for n in found])
contents = st.fixed_dictionaries(
    {
        "clients": clients,
        "roles": clients,
        "triggers": st.dictionaries(st.sampled_from(["post-login", "m2m"]), bindings),
    }
)


@settings(max_examples=150)
@given(contents, contents, st.data())
def test_applying_a_plan_makes_the_picked_items_equal_to_the_source_and_leaves_the_rest(
    source: Any, target: Any, data: st.DataObject
) -> None:
    found = plan.compare(source, target)
    picks = data.draw(st.lists(st.sampled_from([i.key for i in found]), unique=True)) if found else []
    before = copy.deepcopy(target)
    after = plan.applied(target, plan.choose(found, [Pick(key, exact=True) for key in picks]))
    assert target == before
    assert {i.key for i in plan.compare(source, after)} == {i.key for i in found} - set(picks)
    untouched = {(i.kind, i.name) for i in found if i.key not in picks}
    assert all(fields.same(after[k].get(n), target[k].get(n), ordered=True) for k, n in untouched)


@settings(max_examples=100)
@given(contents, contents)
def test_a_plan_survives_storing_and_its_hash_knows_every_change(source: Any, target: Any) -> None:
    items = plan.compare(source, target)
    again = [plan.from_data(plan.as_data(item)) for item in items]
    assert again == items
    assert plan.digest(again) == plan.digest(items)
    if items:
        assert plan.digest(items[1:]) != plan.digest(items)


@given(contents)
def test_a_tenant_differs_in_nothing_from_itself(content: Any) -> None:
    assert plan.compare(content, copy.deepcopy(content)) == []


@given(documents, documents)
def test_putting_every_difference_makes_two_documents_equal(before: Any, after: Any) -> None:
    result = before
    for path, _, value in fields.diff(before, after):
        result = fields.put(result, path, value)
    assert fields.same(result, after)


def test_unset_empty_and_reordered_values_are_no_difference() -> None:
    source = {
        "clients": {"Shop": {"grant_types": ["b", "a"], "allowed_clients": [], "addons": None, "web_origins": ["x"]}}
    }
    target = {"clients": {"Shop": {"grant_types": ["a", "b"], "web_origins": ["x"], "client_metadata": {}}}}
    assert plan.compare(source, target) == []


def test_the_order_of_callbacks_and_of_bindings_is_a_difference() -> None:
    source = {"clients": {"Shop": {"callbacks": ["b", "a"]}}, "triggers": {"post-login": _bound("B", "A")}}
    target = {"clients": {"Shop": {"callbacks": ["a", "b"]}}, "triggers": {"post-login": _bound("A", "B")}}
    assert [i.key for i in plan.compare(source, target)] == ["clients|Shop", "triggers|post-login"]


def test_bindings_of_the_targets_own_actions_stay_where_they_stood_unless_exact_is_picked() -> None:
    source = {"triggers": {"post-login": _bound("New", "Shared")}}
    target = {"triggers": {"post-login": _bound("Own first", "Shared", "Own last")}}
    [item] = plan.compare(source, target)
    assert [b["action_name"] for b in item.after] == ["Own first", "New", "Shared", "Own last"]
    assert item.own == ("Own first", "Own last")
    [exact] = plan.choose([item], [Pick(item.key, exact=True)])
    assert [b["action_name"] for b in exact.after] == ["New", "Shared"]


def test_a_kind_that_one_side_could_not_read_is_not_compared_and_never_deleted() -> None:
    source: plan.Content = {"clients": {}}
    target: plan.Content = {"clients": {}, "organizations": {"acme": {"name": "acme"}}}
    assert plan.compare(source, target) == []
    assert plan.not_compared(source, target) == ["organizations"]


def test_deletions_are_listed_apart_and_what_refers_goes_first() -> None:
    target = {"clients": {"Old": {"name": "Old"}}, "clientGrants": {"Old · x": {"client_id": "Old", "audience": "x"}}}
    found = plan.compare({"clients": {}, "clientGrants": {}}, target)
    assert [(i.action, i.kind) for i in found] == [("delete", "clientGrants"), ("delete", "clients")]


def test_a_field_that_is_kept_does_not_change() -> None:
    source = {"tenant": {"settings": {"friendly_name": "Dev", "session_lifetime": 8}}}
    target = {"tenant": {"settings": {"friendly_name": "Live", "session_lifetime": 24}}}
    [item] = plan.choose(plan.compare(source, target), [Pick("tenant|settings", keep=frozenset({"friendly_name"}))])
    assert item.after == {"friendly_name": "Live", "session_lifetime": 8}
    assert [change.path for change in item.changes] == ["session_lifetime"]


def test_an_item_whose_every_field_is_kept_is_not_in_the_plan() -> None:
    source, target = {"clients": {"A": {"description": "x"}}}, {"clients": {"A": {"description": "y"}}}
    assert plan.choose(plan.compare(source, target), [Pick("clients|A", keep=frozenset({"description"}))]) == []


def test_secrets_never_differ_and_the_targets_own_are_kept() -> None:
    source = {"connections": {"corp": {"name": "corp", "options": {"client_id": "a", "client_secret": "##A##"}}}}
    target = {
        "connections": {
            "corp": {"name": "corp", "options": {"client_id": "b", "client_secret": "##B##", "app_secret": "##C##"}}
        }
    }
    [item] = plan.compare(source, target)
    assert [change.path for change in item.changes] == ["options/client_id"]
    assert item.after["options"]["app_secret"] == "##C##"
    assert plan.secrets_needed(item) == []


def test_a_secret_that_the_target_lacks_needs_a_value() -> None:
    made = {
        "connections": {"corp": {"name": "corp", "options": {"client_secret": "##A##"}}},
        "actions": {"Risk": {"name": "Risk", "code": "", "secrets": [{"name": "KEY"}, {"name": "OLD"}]}},
    }
    target = {"connections": {}, "actions": {"Risk": {"name": "Risk", "code": "x", "secrets": [{"name": "OLD"}]}}}
    needed = {item.kind: plan.secrets_needed(item) for item in plan.compare(made, target)}
    assert needed == {"connections": ["options/client_secret"], "actions": ["secrets/KEY"]}


def test_what_an_item_needs_is_added_to_any_depth() -> None:
    source = {
        "clients": {"Shop": {"name": "Shop"}},
        "resourceServers": {"https://api": {"identifier": "https://api"}},
        "clientGrants": {"Shop · https://api": {"client_id": "Shop", "audience": "https://api"}},
        "actions": {"MFA": {"name": "MFA"}},
        "triggers": {"post-login": _bound("MFA")},
    }
    found = plan.compare(source, {kind: {} for kind in source})
    assert set(plan.what_it_needs(found, ["clientGrants|Shop · https://api"])) == {
        "clients|Shop",
        "resourceServers|https://api",
    }
    assert plan.what_it_needs(found, ["triggers|post-login"]) == ["actions|MFA"]
    assert plan.what_it_needs(found, ["actions|MFA"]) == ["triggers|post-login"]


def test_a_reference_that_nothing_satisfies_is_named() -> None:
    source = {
        "clients": {"Shop": {"name": "Shop"}},
        "triggers": {"post-login": _bound("MFA")},
        "actions": {"MFA": {"name": "MFA"}},
    }
    target: plan.Content = {"clients": {}, "triggers": {}, "actions": {}}
    found = plan.compare(source, target)
    alone = plan.choose(found, [Pick("triggers|post-login")])
    assert [(kind, name) for _, kind, name in plan.unresolved(alone, target)] == [("actions", "MFA")]
    both = plan.choose(found, [Pick("triggers|post-login"), Pick("actions|MFA")])
    assert plan.unresolved(both, target) == []


def test_deleting_what_a_planned_object_refers_to_is_an_unresolved_reference() -> None:
    source = {"clients": {}, "databases": {"users": {"name": "users", "enabled_clients": ["Old"], "options": {"x": 1}}}}
    target = {
        "clients": {"Old": {"name": "Old"}},
        "databases": {"users": {"name": "users", "enabled_clients": ["Old"]}},
    }
    items = plan.compare(source, target)
    assert [(kind, name) for _, kind, name in plan.unresolved(items, target)] == [("clients", "Old")]


def test_a_grant_that_an_organization_uses_must_be_there_before_the_organization_is_made() -> None:
    grant = {"client_id": "Robot", "audience": "https://api.shop.example"}
    source = {"organizations": {"acme": {"name": "acme", "client_grants": [grant]}}}
    target: plan.Content = {"organizations": {}, "clients": {"Robot": {}}, "clientGrants": {}}
    items = plan.compare(source, target)
    missing = [("clientGrants", "Robot · https://api.shop.example")]
    assert [(kind, name) for _, kind, name in plan.unresolved(items, target)] == missing
    there = {**target, "clientGrants": {missing[0][1]: grant}}
    assert plan.unresolved(plan.compare(source, there), there) == []
    grant["audience"] = "https://dev.example/api/v2/"
    assert plan.unresolved(plan.compare(source, target), target) == []


def test_the_management_api_is_always_there() -> None:
    grant = {"client_id": "Shop", "audience": "https://staging.example/api/v2/"}
    source = {"clientGrants": {"g": grant}, "clients": {"Shop": {}}, "resourceServers": {}}
    target: plan.Content = {"clientGrants": {}, "clients": {"Shop": {}}, "resourceServers": {}}
    assert plan.unresolved(plan.compare(source, target), target) == []


def test_variables_and_keyword_markers_are_replaced_in_values_and_names_longest_first() -> None:
    replacements = variables.replacements(
        {"SITE": "https://dev.shop.example", "HOST": "dev.shop.example"},
        {"SITE": "https://shop.example", "HOST": "shop.example"},
    )
    content = {
        "resourceServers": {
            "https://dev.shop.example/api": {"identifier": "https://dev.shop.example/api", "u": "##SITE##/x"}
        }
    }
    result = variables.replaced(content, replacements, {"SITE": "https://shop.example"})
    assert result == {
        "resourceServers": {
            "https://shop.example/api": {"identifier": "https://shop.example/api", "u": "https://shop.example/x"}
        }
    }


def test_a_variable_with_a_regular_expression_in_it_is_plain_text() -> None:
    replacements = variables.replacements({"A": "a.b(c"}, {"A": "\\1$x"})
    assert variables.replaced({"roles": {"r": {"d": "a.b(c aXb(c"}}}, replacements) == {
        "roles": {"r": {"d": "\\1$x aXb(c"}}
    }


def test_a_variable_too_short_to_be_told_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="STAGE"):
        variables.replacements({"STAGE": "dev"}, {"STAGE": "prod"})


def _bound(*actions: str) -> list[dict[str, str]]:
    return [{"action_name": name, "display_name": name} for name in actions]
