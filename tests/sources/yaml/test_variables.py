"""The operators of variables in Compose, on values that are set, empty and missing."""

from __future__ import annotations

from tables import each

from imgref.sources.yaml.variables import interpolate

VALUES = {"SET": "1", "EMPTY": ""}


@each(
    ("text", "resolved"),
    [
        ("${SET:-x}", "1"),
        ("${EMPTY:-x}", "x"),
        ("${MISSING:-x}", "x"),
        ("${SET-x}", "1"),
        ("${EMPTY-x}", ""),
        ("${MISSING-x}", "x"),
        ("${SET:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${MISSING+x}", ""),
        ("${EMPTY?}", ""),
        ("${EMPTY:?}", None),
        ("${MISSING?}", None),
        ("${EMPTY:-${MISSING:-${SET}}}", "1"),
    ],
)
def test_operator_with_a_colon_takes_an_empty_value_for_missing(text: str, resolved: str | None) -> None:
    assert interpolate(text, VALUES.get, operators=True).text == resolved
