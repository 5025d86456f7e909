"""Tests of tables: one test for all rows, since each test of its own takes some milliseconds more than its row."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeVar

T = TypeVar("T")
Test = Callable[..., None]

MOST = 20
"""After so many rows that fail, no more are checked."""

WIDTH = 200
"""The most characters of a row's name."""


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
            failed.append(f"{name(row)[:WIDTH]}:\n{''.join(traceback.format_exception(error, limit=-2))}")
            if len(failed) == MOST:
                break
    assert not failed, f"{len(failed)} of {checked} rows fail:\n" + "\n".join(failed)
    assert checked, "there are no rows"


def each(
    names: str | Sequence[str], rows: Iterable[Any], ids: Callable[[Any], object] | None = None
) -> Callable[[Test], Test]:
    """Let a test check all rows of a table, with the arguments of ``pytest.mark.parametrize``.

    Fixtures are the same for all rows, so that a test whose rows would disturb each other needs ``parametrize``.

    Args:
        names: the parameters of the test that come from a row.
        rows: the rows; each is one value, or a value for each name, or a ``pytest.param``.
        ids: the name of a value, instead of its ``repr``.
    """
    words = [word.strip() for word in names.split(",")] if isinstance(names, str) else list(names)
    table = list(rows)

    def values(row: Any) -> dict[str, Any]:  # noqa: ANN401  whatever the table has
        given = getattr(row, "values", None) if hasattr(row, "marks") else row if len(words) > 1 else (row,)
        return dict(zip(words, given or (), strict=True))

    def name(row: Any) -> str:  # noqa: ANN401
        return getattr(row, "id", None) or " ".join(
            str((ids and ids(value)) or repr(value)) for value in values(row).values()
        )

    def decorate(test: Test) -> Test:
        @wraps(test)
        def whole(**fixtures: object) -> None:
            __tracebackhide__ = True
            assert_each(table, lambda row: test(**values(row), **fixtures), name)

        # pytest looks here for the fixtures of a test.
        signature = inspect.signature(test)
        left = [parameter for parameter in signature.parameters.values() if parameter.name not in words]
        whole.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return whole

    return decorate
