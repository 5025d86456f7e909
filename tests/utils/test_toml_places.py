"""Where keys are in a TOML text, for messages about settings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref._utils.toml_places import key_lines

Keys = tuple[str | int, ...]


@each(
    ("text", "path", "line"),
    [
        ("[a]\nb = 1\n", ("a", "b"), 2),
        ("# [a]\n[ a ] # b = 1\n'b' = 1\n", ("a", "b"), 3),
        ('[a]\nb = """\nc = 1\n[a.c]\n"""\nc = 2\n', ("a", "c"), 6),
        ("[a]\nb = [\n  1,\n  2,\n]\n", ("a", "b"), 2),
        ("[a]\nb = [\n  1,\n  2,\n]\n", ("a", "b", 1), 4),
        ("a = [{b = 1},\n{b = 2}]\n", ("a", 1), 2),
        ("a = [{b = 1},\n{b = 2}]\n", ("a", 1, "b"), 2),
        ("[[a.b]]\nc = 1\n[[a.b]]\nc = 2\n", ("a", "b", 1), 3),
        ("[[a.b]]\nc = 1\n[[a.b]]\nc = 2\n", ("a", "b", 1, "c"), 4),
        ("[[a.b]]\nc = 1\n[[a.b]]\nc = 2\n", ("a", "b"), 1),
        ("[tool.imgref.check]\n[tool.imgref]\nextends = 'x'\n", ("tool", "imgref"), 1),
        ("[other]\nb = 1\n[a]\n\nb = 2\n", ("a", "b"), 5),
        ("a.b.c = 1\na.d = 2\n", ("a", "d"), 2),
        ('["a.b"]\nc = 1\n', ("a.b", "c"), 2),
    ],
)
def test_key_lines_is_the_first_mention(text: str, path: Keys, line: int) -> None:
    assert key_lines(text)[path] == line


@given(st.lists(st.sampled_from(["", "# a", "x = [", "y"]), max_size=5))
def test_key_lines_of_strings_have_no_keys(inside: list[str]) -> None:
    body = "\n".join(inside)
    text = f'a = """\n{body}\n"""\nb = 1\n'
    assert key_lines(text) == {("a",): 1, ("b",): 3 + len(inside or [""])}
