"""What holds for every text that is read as a Dockerfile or as engine settings."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import assume, example, given
from hypothesis import strategies as st

from imgref._utils.toml_places import places
from imgref.sources.dockerfile.globs import Glob, InvalidGlob
from imgref.sources.dockerfile.reader import read_dockerfile
from imgref.sources.dockerfile.shell_words import BadWord, Expansion, RequiredVariable, expand, find_heredocs
from imgref.sources.engine_settings import read_daemon_json, read_registries_conf

if TYPE_CHECKING:
    from imgref.sources.occurrence import Reading

TABLE = Path(__file__).parent.parent / "data" / "dockerfiles.jsonl"
FILES = [json.loads(line)["file"] for line in TABLE.read_text(encoding="utf-8").splitlines()]

PARTS = st.sampled_from(
    [
        "FROM ", "from a:1", " AS b", "RUN ", "COPY ", "--from=", "--mount=", "type=bind,from=c:2", "--platform=x ",
        "ONBUILD ", "ARG X=1", "ENV a=b", "# syntax=d", "# escape=`", "#!", "//", "\\\n", "`\n", "\n", "\n", "\r\n",
        " ", "\t", "<<E", "<<-'E'", "\nE\n", '"', "'", "$X", "${X:-", "}", "${X#*", "${X/a/", "[", '["a"]', "{", "0",
        "scratch", "é", "\x00", "\u2028", "\ud800", "FOO", "x y", "# imgref: ignore", ",", "=", "--",
    ]
)  # fmt: skip
SNIPPETS = st.lists(PARTS, max_size=30).map("".join)
GOOD = st.sampled_from(
    ["FROM a:1", "FROM b:2 AS two", "FROM two", "FROM scratch", "COPY --from=c:3 x y", "RUN make", "RUN <<E\nFROM x\nE",
     "RUN --mount=type=bind,from=d:4 make", "COPY \\\n  --from=two \\\n  x y", "# a comment", "", "ENV a=b"]
)  # fmt: skip
BAD = st.sampled_from(
    ["FROM", "FROM a b", "FROM ${", "FORM x", "COPY --from=x y", "COPY --bad a b", "RUN <<NEVER", "ENV", "ADD x",
     "SHELL x", 'CMD ["a", 1]', "COPY --from=$X a b", "RUN --mount=from=$X y", "apt-get install", "}", "EXPOSE"]
)  # fmt: skip


def _well_placed(text: str, reading: Reading) -> None:
    lines = text.split("\n")
    for line, column in (
        *((one.line, one.column) for one in reading.occurrences),
        *((one.line, one.column) for one in reading.problems),
    ):
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
    for line, column in (
        *((one.line, one.column) for one in reading.comments),
        *((one.line, one.column) for one in reading.declarations),
    ):
        assert 1 <= column <= len(lines[line - 1])


@given(st.one_of(st.text(), SNIPPETS, st.sampled_from(FILES)))
@example("\\")
@example("RUN\\\n")
def test_any_input_is_accepted(text: str) -> None:
    reading = read_dockerfile(text)
    _well_placed(text, reading)
    assert sum(one.final for one in reading.occurrences) <= 1
    assert (not reading.occurrences) <= bool(reading.problems) or "syntax" in text.lower()
    for one in reading.occurrences:
        assert (one.resolved is None) == (one.role == "unresolved")
        assert (one.reason is not None) == (one.role in ("unresolved", "invalid"))


@given(st.lists(GOOD, min_size=1, max_size=8), BAD, st.data())
def test_a_bad_line_costs_only_itself(good: list[str], bad: str, data: st.DataObject) -> None:
    lines = ["FROM first:1 AS first", *good]
    at = data.draw(st.integers(0, len(lines)))
    before = read_dockerfile("\n".join(lines))
    after = read_dockerfile("\n".join([*lines[:at], bad, *lines[at:]]))
    assume(not before.problems)
    assert after.problems
    assert [(one.text, one.role, one.resolved, one.construct) for one in after.occurrences] == [
        (one.text, one.role, one.resolved, one.construct) for one in before.occurrences
    ]


@given(st.one_of(st.text(), SNIPPETS))
def test_words_are_expanded_or_refused(word: str) -> None:
    known = {"X": Expansion("abc")}
    try:
        value = expand(word, known)
    except (BadWord, RequiredVariable):
        return
    assert isinstance(value.text, str)


@given(st.text(alphabet="<-'\"$ {}E\\1\t", max_size=20))
def test_heredocs_are_at_the_reported_position(line: str) -> None:
    try:
        found = find_heredocs(line)
    except BadWord:
        return
    for heredoc in found:
        assert re.match(r"[0-9]*<<", line[heredoc.start :])


PATTERNS = st.text(alphabet="ab*?", max_size=6)
VALUES = st.text(alphabet="ab", max_size=8)


def _regex(pattern: str, star: str) -> str:
    return "".join({"*": star, "?": "."}.get(char, char) for char in pattern)


@given(PATTERNS, VALUES)
def test_globs_match_as_regular_expressions_would(pattern: str, value: str) -> None:
    glob = Glob(pattern)
    for longest, star in ((False, ".*?"), (True, ".*")):
        assert glob.without_prefix(value, longest=longest) == re.sub(f"^{_regex(pattern, star)}", "", value, count=1)
        turned = re.sub(f"^{_regex(pattern[::-1], star)}", "", value[::-1], count=1)
        assert glob.without_suffix(value, longest=longest) == turned[::-1]
    assert glob.replace(value, "-", everywhere=False) == re.sub(_regex(pattern, ".*"), "-", value, count=1)


@given(st.text(alphabet="ab?", min_size=1, max_size=4), VALUES)
def test_globs_replace_everywhere(pattern: str, value: str) -> None:
    assert Glob(pattern).replace(value, "-", everywhere=True) == re.sub(_regex(pattern, ".*"), "-", value)


@given(st.text(alphabet="ab*?\\}/", max_size=8), VALUES)
def test_globs_never_make_a_value_longer(pattern: str, value: str) -> None:
    try:
        glob = Glob(pattern)
    except InvalidGlob:
        return
    assert value.endswith(glob.without_prefix(value, longest=True))
    assert value.startswith(glob.without_suffix(value, longest=True))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["insecure-registries", "a", ""]), inner),
    max_leaves=10,
)
TOML = st.lists(
    st.sampled_from(
        ["[[registry]]\n", "[[registry.mirror]]\n", "[registries.insecure]\n", "[x]\n", 'location = "a:1"\n', "[",
         "insecure = true\n", "'registries' = ['a', \"b\"] # c\n", "prefix = '''p\nq'''\n",
         'm = """a"b"""\n', "a.b = 1\n",
         "t = 2024-01-01 10:00:00\n", "d = {a = [1, {b = 'c'}], e.f = 2}\n", "n = [ # x\n 1,\n]\n", "\r\n", "é", "="]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(st.one_of(st.text(), JSON.map(json.dumps), JSON.map(lambda value: json.dumps(value, indent=1))))
def test_daemon_settings_are_read_or_refused(text: str) -> None:
    _well_placed(text, read_daemon_json(text))


@given(st.one_of(st.text(), TOML))
def test_registry_settings_are_read_or_refused(text: str) -> None:
    _well_placed(text, read_registries_conf(text))


def _leaves(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return {leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, key))}
    if isinstance(value, list):
        return {leaf for index, inner in enumerate(value) for leaf in _leaves(inner, (*path, index))}
    return {path}


@given(TOML)
def test_every_value_has_a_location(text: str) -> None:
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = places(text)
    assert set(found) == _leaves(value)
    assert len(set(found.values())) == len(found)
