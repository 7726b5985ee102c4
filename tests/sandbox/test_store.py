"""The documents of a tenant in memory: what is looked up by an index is what a scan would find."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.store import Store

IDS = [f"r{number}" for number in range(6)]
COLOURS = st.sampled_from(["red", "blue", ["a", "list"], None])
# Put a document, remove one, or look some up, which makes the index.
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(IDS), COLOURS),
        st.tuples(st.just("remove"), st.sampled_from(IDS), st.none()),
        st.tuples(st.just("find"), st.none(), COLOURS),
        st.tuples(st.just("reset"), st.none(), st.none()),
    ),
    max_size=20,
)


def carry_out(acts: list[tuple[str, Any, Any]], store: Store, seed: dict[str, dict[str, Any]]) -> None:
    for act, id, colour in acts:
        if act == "put":
            store.put("roles", id, {"id": id, "colour": colour})
        elif act == "remove":
            store.remove("roles", id)
        elif act == "find":
            store.find("roles", colour=colour)
        else:
            store.load(seed)


def found(store: Store, colour: Any) -> list[str]:
    return [document["id"] for document in store.find("roles", colour=colour)]


@example(first=[("put", "r0", "blue"), ("find", None, "red")], after=[], colour="red")
@given(first=ACTS, after=ACTS, colour=COLOURS)
def test_an_index_finds_after_a_reset_what_the_seed_holds_in_its_order(
    first: list[Any], after: list[Any], colour: Any
) -> None:
    seed = {"roles": {id: {"id": id, "colour": "red" if id < "r2" else "blue"} for id in IDS[:4]}}
    indexed, plain = Store(), Store()
    indexed.index("roles", "colour")
    for store in (indexed, plain):
        store.load(seed)
        carry_out(first, store, seed)
        store.load(seed)
    assert found(indexed, colour) == found(plain, colour)
    for store in (indexed, plain):
        carry_out(after, store, seed)
    assert sorted(found(indexed, colour)) == sorted(found(plain, colour))


def test_documents_added_since_a_reset_cost_the_next_one_no_new_index() -> None:
    seed = {"roles": {"r0": {"id": "r0", "colour": "red"}}}
    store = Store()
    store.index("roles", "colour")
    store.load(seed)
    assert found(store, "red") == ["r0"]
    entries = store._indexes["roles", "colour"]
    store.put("roles", "r1", {"id": "r1", "colour": "red"})
    store.put("roles", "r0", {"id": "r0", "colour": "red", "name": "changed"})
    store.load(seed)
    assert store._indexes["roles", "colour"] is entries
    assert found(store, "red") == ["r0"]
