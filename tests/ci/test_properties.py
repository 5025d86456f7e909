"""Java properties files, as TeamCity writes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.ci._properties import read_properties


@each(
    ("text", "expected"),
    [
        ("a=1\nb:2\nc 3", {"a": "1", "b": "2", "c": "3"}),
        ("  a \t= 1 ", {"a": "1 "}),
        ("#a=1\n!b=2\n\n c=3", {"c": "3"}),
        (r"a\=b=c\:d", {"a=b": "c:d"}),
        ("a=one \\\n   two\nb=2", {"a": "one two", "b": "2"}),
        ("a=one\\\\\nb=2", {"a": "one\\", "b": "2"}),
        (r"a=\u00e9\ud83d\ude00\t\n", {"a": "é😀\t\n"}),
        ("a", {"a": ""}),
        ("a=1\ra=2", {"a": "2"}),
        ("a==b", {"a": "=b"}),
        ("a=\\", {"a": ""}),
    ],
)
def test_properties_are_read_as_java_does(text: str, expected: dict[str, str]) -> None:
    assert read_properties(text) == expected


def escaped(text: str) -> str:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), max_size=4))
def test_any_properties_that_are_escaped_read_back(properties: dict[str, str]) -> None:
    text = "\n".join(f"{escaped(key)}={escaped(value)}" for key, value in properties.items())
    assert read_properties(text) == properties


@given(st.text(max_size=200))
def test_any_input_is_read(text: str) -> None:
    read_properties(text)
