"""Tests of tables: one test for all rows, since each test of its own takes some milliseconds more than its row."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def assert_each(rows: Iterable[T], check: Callable[[T], None], name: Callable[[T], str] = repr) -> None:
    """Check every row, and fail with the name of each row for which the check fails, and with its reason.

    Args:
        rows: the rows, at least one.
        check: fails or raises an exception for a row that is wrong.
        name: the name of a row.
    """
    __tracebackhide__ = True
    checked, failed = 0, []
    for row in rows:
        checked += 1
        try:
            check(row)
        except Exception as error:  # noqa: BLE001  as a test would fail
            failed.append(f"{name(row)}:\n{''.join(traceback.format_exception(error, limit=-2))}")
    assert not failed, f"{len(failed)} of {checked} rows fail:\n" + "\n".join(failed)
    assert checked, "there are no rows"
