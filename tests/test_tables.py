"""A test of a table names every row that is wrong, with the reason."""

from __future__ import annotations

import pytest
from tables import MOST, assert_each, each


def positive(number: int) -> None:
    assert number > 0, "not positive"
    assert 6 // (number - 3)


def test_each_row_that_is_right_passes() -> None:
    assert_each([1, 2], positive)


def test_each_row_that_is_wrong_is_named_with_its_reason() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_each([1, -5, 2, 3], positive, "row {}".format)
    told = str(caught.value)
    assert told.startswith("2 of 4 rows fail:\nrow -5:\n")
    assert "AssertionError: not positive" in told
    assert "row 3:\n" in told
    assert "ZeroDivisionError" in told
    assert "assert number > 0" in told
    assert "row 1" not in told


def test_a_table_without_rows_fails() -> None:
    with pytest.raises(AssertionError, match="there are no rows"):
        assert_each([], positive)


def test_a_table_of_which_many_rows_fail_is_not_checked_to_its_end() -> None:
    with pytest.raises(AssertionError, match=f"^{MOST} of {MOST} rows fail"):
        assert_each([0] * 100, positive)


seen: list[tuple[int, str]] = []


@each(("number", "word"), [(1, "a"), pytest.param(2, "b", id="second")])
def test_each_row_is_an_argument_beside_fixtures(word: str, number: int, request: pytest.FixtureRequest) -> None:
    seen.append((number, word))
    assert request.node.name == "test_each_row_is_an_argument_beside_fixtures"
    assert seen == [(1, "a"), (2, "b")][: len(seen)]


@each("number", [1, 2])
@each("word", ["a", "b"])
def table_of_pairs(number: int, word: str) -> None:
    assert (number, word) not in {(2, "a"), (2, "b")}


@each("number, word", [pytest.param(1, "a", id="the first"), (2, "b")], ids=lambda value: f"<{value}>")
def table_of_named_rows(number: int, word: str) -> None:
    assert (number, word) == (0, "")


def test_each_names_the_rows_of_two_tables_and_of_named_rows() -> None:
    with pytest.raises(AssertionError) as caught:
        table_of_pairs()
    told = str(caught.value)
    assert told.startswith("1 of 2 rows fail:\n2:\n")
    assert "2 of 2 rows fail:\n'a':\n" in told
    assert "\n'b':\n" in told
    with pytest.raises(AssertionError, match=r"(?s)the first:\n.*<2> <b>:\n"):
        table_of_named_rows()
