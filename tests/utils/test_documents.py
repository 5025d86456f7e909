"""TOML and JSON that cannot be used are errors with the reason and, where it is known, the place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from imgref._utils.documents import DocumentError, parse_json, parse_toml

DIGITS = "9" * 5_000


def refused(parse: Callable[[str], object], text: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        ('{\n "a": }', "is not valid JSON: Expecting value", (2, 7)),
        ("[" * 100_000, "is nested too deeply", (None, None)),
        ("[" * 101 + "]" * 101, "is nested too deeply", (None, None)),
        (f"[{DIGITS}]", "has a number with too many digits", (None, None)),
    ],
)
def test_parse_json_of_what_cannot_be_used_is_an_error(
    text: str, reason: str, place: tuple[int | None, int | None]
) -> None:
    error = refused(parse_json, text)
    assert (error.reason, (error.line, error.column)) == (reason, place)


def test_parse_json_of_bytes_that_are_not_utf8_is_an_error() -> None:
    with pytest.raises(DocumentError, match="is not UTF-8"):
        parse_json(b'"\xff"')


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        ("a = 1\nb = ]", "is not valid TOML: Invalid value", (2, 5)),
        ("a = 1\nb = '", 'is not valid TOML: Expected "\'"', (2, 6)),
        ("a = " + "[" * 100_000, "is nested too deeply", (None, None)),
        ("a = " + "[" * 101 + "]" * 101, "is nested too deeply", (None, None)),
        (f"a = {DIGITS}", "has a number with too many digits", (None, None)),
        (f"a = {1 << 64}", "has a number that is too large", (None, None)),
    ],
)
def test_parse_toml_of_what_cannot_be_used_is_an_error(
    text: str, reason: str, place: tuple[int | None, int | None]
) -> None:
    error = refused(parse_toml, text)
    assert (error.reason, (error.line, error.column)) == (reason, place)


def test_parse_json_of_a_number_that_toml_refuses_returns_it() -> None:
    assert parse_json(str(1 << 64)) == 1 << 64
