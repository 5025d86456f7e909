"""What manifests need each other, and in which order they can be deleted."""

from __future__ import annotations

from tables import each

from imgref.archive.manifest import OCI_MANIFEST, Descriptor
from imgref.registry.prune.graph import Graph, Node, attached_to


def node(digest: str, children: str = "", subject: str | None = None) -> Node:
    return Node(Descriptor(OCI_MANIFEST, digest, 1), tuple(children), subject)


GRAPH = Graph([node("I", "ab"), node("a"), node("b"), node("J", "bI"), node("S", "", "a"), node("T", "", "S")])


def test_needed_has_children_referrers_and_subjects() -> None:
    assert GRAPH.needed({"I": "kept"}, {}) == {
        "I": "kept",
        "a": "child of I",
        "b": "child of I",
        "S": "referrer of a",
        "T": "referrer of S",
    }
    assert set(GRAPH.needed({"T": "kept"}, {})) == {"T", "S", "a"}


def test_needed_has_what_is_attached_by_a_tag_and_listed_as_a_referrer() -> None:
    graph = Graph([node("a"), node("b"), node("c")], {"b": ["c"]})
    assert set(graph.needed({"a": "kept"}, {"a": ["b"]})) == {"a", "b", "c"}


def test_dependent_has_no_subjects() -> None:
    assert set(GRAPH.dependent({"T": "selected"}, {})) == {"T"}
    assert set(GRAPH.dependent({"a": "selected"}, {})) == {"a", "S", "T"}


def test_in_order_has_parents_before_children_and_subjects_before_referrers() -> None:
    order = GRAPH.in_order("TSabIJ", {})
    assert sorted(order) == sorted("TSabIJ")
    for first, second in ("JI", "Jb", "Ia", "Ib", "aS", "ST"):
        assert order.index(first) < order.index(second)


def test_in_order_has_an_index_of_its_own_subject_before_that() -> None:
    graph = Graph([node("R", "a", "a"), node("a")])
    assert graph.in_order("aR", {}) == ["R", "a"]


def test_in_order_ends_with_tags_that_are_attached_to_each_other() -> None:
    assert sorted(Graph([node("a"), node("b")]).in_order("ab", {"a": ["b", "a"], "b": ["a"]})) == ["a", "b"]


@each(
    ("tag", "attached"),
    [
        ("sha256-" + 64 * "a", True),
        ("sha256-" + 64 * "a" + ".sig", True),
        ("sha256-" + 64 * "a" + ".att", True),
        ("sha256-" + 64 * "a" + ".sbom", True),
        ("sha256-" + 64 * "a" + ".other", False),
        ("sha256-" + 63 * "a", False),
        ("sha256-" + 64 * "g", False),
        ("x-sha256-" + 64 * "a", False),
        ("latest", False),
    ],
)
def test_attached_to(tag: str, attached: bool) -> None:
    assert attached_to(tag) == ("sha256:" + 64 * "a" if attached else None)
