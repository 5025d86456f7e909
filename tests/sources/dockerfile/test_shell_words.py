"""Words of a Dockerfile: what variables, quotes and escapes come to."""

from __future__ import annotations

import pytest
from tables import each

from imgref.sources.dockerfile.shell_words import BadWord, Expansion, RequiredVariable, expand, find_heredocs

KNOWN = {
    "A": Expansion("value"),
    "E": Expansion(""),
    "P": Expansion("usr/local/bin"),
    "S": Expansion("a*b?c\\d/e}f"),
    "U": Expansion("x", "Z"),
}


@each(
    ("word", "text", "unknown"),
    [
        ("plain", "plain", ""),
        ("a<b", "a<b", ""),
        ("$A", "value", ""),
        ("${A}", "value", ""),
        ("$A-x", "value-x", ""),
        ("$AA", "", "AA"),
        ("$1a", "a", "1"),
        ("$", "$", ""),
        ("$-", "", "-"),
        ("$/", "$/", ""),
        ("'$A'", "$A", ""),
        ('"$A"', "value", ""),
        ('"${A}\'s"', "value's", ""),
        (r"\$A", "$A", ""),
        (r'"\$A \" \x \\"', '$A " \\x \\', ""),
        (r"a\b", "ab", ""),
        ("a\\", "a", ""),
        ("''", "", ""),
        ("${A:-x}", "value", ""),
        ("${E:-x}", "x", ""),
        ("${E-x}", "", ""),
        ("${N:-x}", "x", ""),
        ("${N-x}", "x", ""),
        ("${N:-$M}", "", "M"),
        ("${A:-$M}", "value", ""),
        ("${N:-'a b'}", "a b", ""),
        ('${N:-"$A"}', "value", ""),
        ("${N:-\\}}", "}", ""),
        ("${A:+x}", "x", ""),
        ("${E:+x}", "", ""),
        ("${E+x}", "x", ""),
        ("${N+x}", "", ""),
        ("${A:+$M}", "", "M"),
        ("${A:?x}", "value", ""),
        ("${E?x}", "", ""),
        ("${P#*/}", "local/bin", ""),
        ("${P##*/}", "bin", ""),
        ("${P%/*}", "usr/local", ""),
        ("${P%%/*}", "usr", ""),
        ("${P#nothing}", "usr/local/bin", ""),
        ("${P#u?r}", "/local/bin", ""),
        ("${P#$A}", "usr/local/bin", ""),
        ("${N#x}", "", "N"),
        ("${E%x}", "", ""),
        ("${P/l/L}", "usr/Local/bin", ""),
        ("${P//l/L}", "usr/LocaL/bin", ""),
        ("${P//\\//-}", "usr-local-bin", ""),
        ("${P/*/x}", "x", ""),
        ("${P/o*b/x}", "usr/lxin", ""),
        ("${P/zz/x}", "usr/local/bin", ""),
        ("${P//?/x}", "xxxxxxxxxxxxx", ""),
        ("${P/usr/}", "/local/bin", ""),
        ("${P/usr/$A}", "value/local/bin", ""),
        ("${N/a/b}", "", "N"),
        ("${S#a\\*}", "b?c\\d/e}f", ""),
        ("${S/\\?/!}", "a*b!c\\d/e}f", ""),
        ("${S/\\\\/!}", "a*b?c!d/e}f", ""),
        ("${S/\\}/!}", "a*b?c\\d/e!f", ""),
        ("$U", "x", "Z"),
        ("${U:-y}", "x", "Z"),
        ("${U:+y}", "y", ""),
    ],
)
def test_expansion(word: str, text: str, unknown: str) -> None:
    assert expand(word, KNOWN) == Expansion(text, unknown)


def test_the_other_escape_character() -> None:
    assert expand("a\\b`$A", KNOWN, "`").text == "a\\b$A"
    assert expand('"C:\\x`""', KNOWN, "`").text == 'C:\\x"'


@each(
    "word",
    ["'", '"', '"a\\"', "${", "${A", "${}", "${{A}}", "${:-x}", "${A:}", "${A:=x}", "${A^^}", "${#A}", "${A[0]}",
     "${A/x}", "${A/x/y", "${A#\\x}", "${A:-'}", "${A!}", "${ }"],
)  # fmt: skip
def test_what_is_refused(word: str) -> None:
    with pytest.raises(BadWord) as refused:
        expand(word, KNOWN)
    assert str(refused.value)


@pytest.mark.parametrize(
    ("word", "name", "message"),
    [
        ("${N:?}", "N", "is not allowed to be unset"),
        ("${N?say why}", "N", "say why"),
        ("${E:?}", "E", "is not allowed to be empty"),
        ("x${A:-${N?deep}}", "N", "deep"),
    ],
)
def test_what_is_required(word: str, name: str, message: str) -> None:
    with pytest.raises(RequiredVariable) as missing:
        expand(word, KNOWN)
    assert (missing.value.name, missing.value.message) == (name, message)


@each(
    ("line", "names"),
    [
        ("RUN <<EOF", ["EOF"]),
        ("RUN cat <<A <<B", ["A", "B"]),
        ("RUN 3<<A cat<<B", ["A"]),
        ("RUN <<- A", []),
        ("RUN <<  A", ["A"]),
        ("RUN <<'one two'", ["one two"]),
        ("RUN <<$A", ["$A"]),
        ("RUN <<${A}", ["${A}"]),
        ("RUN <<a\\ b", ["a b"]),
        ("RUN <<e\\'f", ["e'f"]),
        ("RUN <<''", []),
        ("RUN <<<x", []),
        ("RUN < <x", []),
        ("RUN \"<<x\" '<<y' \\<<z", []),
        ("RUN ${x[0]} <<A", []),
        ("RUN ' <<A", []),
    ],
)
def test_heredocs(line: str, names: list[str]) -> None:
    assert [heredoc.name for heredoc in find_heredocs(line)] == names


def test_heredocs_have_their_position_and_their_indent() -> None:
    first, second = find_heredocs("RUN x <<-A  2<<B")
    assert (first.indented, first.start) == (True, 6)
    assert (second.indented, second.start) == (False, 12)
