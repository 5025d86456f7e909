"""The values of a matrix behind an image: what is not one, that they are not edited, and how long it takes."""

from __future__ import annotations

import pytest
from facts import facts
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.sources.occurrence import Reading
from imgref.sources.yaml.reader import read_yaml

WORKFLOW = "jobs:\n  a:\n    runs-on: x\n    container: {container}\n    strategy: {{matrix: {matrix}}}\n"


def read(container: str, matrix: str) -> Reading:
    reading = read_yaml(WORKFLOW.format(container=container, matrix=matrix), kind="github-actions")
    assert reading is not None
    return reading


@each(
    ("container", "matrix", "expected"),
    [
        ("${{ matrix.a }}", "{a: [[x], {b: c}, null]}", []),
        ("${{ matrix.a }}", "{a: x, include: y}", []),
        ("${{ matrix.a }}", "[a]", []),
        ("${{ matrix.a.b.c }}", "{a: [{b: {c: 'x:1'}}, {b: x}]}", ["x:1"]),
        ("${{ matrix.a == 'x' && matrix.b || 'y' }}", "{a: [x], b: [y]}", []),
        ("${{ matrix.a", "{a: [x]}", []),
        ("${{ matrix }}", "{a: [x]}", []),
        ("x${{ matrix.a }}", "{a: [true, 1.50, 007]}", ["xtrue", "x1.5", "x007"]),
        ("docker://${{ matrix.a }}", "{a: ['b:1']}", ["b:1"]),
    ],
)
def test_values_of_a_matrix(container: str, matrix: str, expected: list[str]) -> None:
    found = facts(read(f'"{container}"', matrix))
    assert [fact[3] for fact in found if fact[0] == 5] == expected


def test_values_of_a_matrix_are_not_edited() -> None:
    reading = read("${{ matrix.a }}", "{a: ['b:1']}")
    assert [one.target and one.target.fixed for one in reading.occurrences] == [
        None, "a matrix selects its jobs by this value, and may use it for something else too",
    ]  # fmt: skip


NODES = st.recursive(
    st.sampled_from(["a:1", "''", "1.0", "null", "'${{ inputs.a }}'", "'${{ matrix.a }}'"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.sampled_from(["a", "image", "include", "inputs", "default"]), inner, max_size=4).map(
            lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"
        ),
    ),
)


@given(st.sampled_from(["'${{ matrix.a }}'", "'x:${{ matrix.a.image }}'", "'${{ inputs.a }}'"]), NODES)
def test_a_matrix_of_any_shape_is_read(container: str, matrix: str) -> None:
    read(container, f"{matrix}\non: {matrix}")


@pytest.mark.parametrize(
    ("before", "part", "after"),
    [
        ("'${{ matrix.a }}'\n    strategy:\n      matrix:\n        a:\n", "        - b:1\n", ""),
        ("a\n    services:\n", "      a: {image: '${{ matrix.a }}'}\n", "    strategy: {matrix: {a: [b, c]}}\n"),
        ("'${{ matrix", ".a", " }}'\n"),
        ("'", "${{ matrix.a", "'\n"),
    ],
)
def test_reading_a_matrix_takes_linear_time(before: str, part: str, after: str) -> None:
    head = "jobs:\n  a:\n    runs-on: x\n    container: "
    assert_linear(
        lambda size: head + before + part * size + after, lambda text: read_yaml(text, kind="github-actions"), 60, 3
    )
