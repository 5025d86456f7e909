"""Where the nodes of the graph are drawn."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from imgref.cli.images._layout import Box, Size, layout

KEYS = st.sampled_from("abcdefghij")


@given(
    st.dictionaries(KEYS, st.builds(Size, st.floats(1, 300), st.floats(1, 60)), min_size=1),
    st.lists(st.tuples(KEYS, KEYS), max_size=30),
)
def test_nodes_do_not_overlap_and_are_inside(sizes: dict[str, Size], pairs: list[tuple[str, str]]) -> None:
    edges = [(source, target) for source, target in pairs if source in sizes and target in sizes]
    drawn = layout(sizes, edges)
    assert drawn.boxes.keys() == sizes.keys()
    for box in drawn.boxes.values():
        assert box.x >= 0
        assert box.y >= -0.01
        assert box.x + box.width <= drawn.width + 0.01
        assert box.y + box.height <= drawn.height + 0.01
    for one, other in combinations(drawn.boxes.values(), 2):
        assert not overlap(one, other)
    assert drawn.paths.keys() == {edge for edge in edges if edge[0] != edge[1]}


def overlap(one: Box, other: Box) -> bool:
    across = one.x < other.x + other.width - 0.01 and other.x < one.x + one.width - 0.01
    return across and one.y < other.y + other.height - 0.01 and other.y < one.y + one.height - 0.01


def test_what_is_used_is_left_of_what_uses_it_and_near_it() -> None:
    sizes = dict.fromkeys("abcde", Size(10, 10))
    boxes = layout(sizes, [("a", "b"), ("b", "c"), ("d", "c"), ("a", "c"), ("e", "a")]).boxes
    assert boxes["e"].x < boxes["a"].x < boxes["b"].x < boxes["c"].x
    assert boxes["d"].x == boxes["b"].x


def test_a_circle_is_drawn_once() -> None:
    drawn = layout(dict.fromkeys("ab", Size(10, 10)), [("a", "b"), ("b", "a"), ("a", "a")])
    assert len(drawn.paths) == 2


def test_nothing_is_drawn_of_nothing() -> None:
    assert layout({}, []).height == 0
