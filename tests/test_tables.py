"""A test of a table names every row that is wrong, with the reason."""

from __future__ import annotations

import pytest
from tables import assert_each


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
