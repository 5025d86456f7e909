"""Traces of container images in files of no known kind: enough to report that images there were not read.

A trace is a hint, not a reference. Nothing is checked or changed because of it: it is counted, so that "no findings"
does not hide a file whose images were not read.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from imgref._printable import masked

__all__ = ["Trace", "is_probed", "trace_of"]

_NAMES: Final = re.compile(
    r"(?:readme|changelog|changes|license|licence|notice|authors|copying|contributing|codeowners)(?:[._-].*)?"
    r"|.*[-.]lock(?:\.json|\.ya?ml)?|package-lock\.json|go\.(?:mod|sum|work)|\.imgref\.toml",
    re.IGNORECASE | re.DOTALL,
)
"""Documentation without an ending, lock files, and imgref's own settings."""

_DOCUMENTS: Final = "adoc asciidoc htm html md mdx mdown org pod rdoc rst tex textile txt"
"""Endings of documentation."""

_PROGRAMS: Final = (
    "ada asm astro c cc cjs clj cpp cr cs css cu cxx d dart el elm erl ex exs f90 fs go h hh hpp hs inc ipynb "
    "java jl js jsx kt lean less lisp lua m mjs ml mm nim pas php pl pm proto py pyi pyx r rb rs s sass scala "
    "scm scss sol sql svelte swift tcl ts tsx v vb vhd vim vue wat zig"
)
"""Endings of programs: what they name in strings is mostly a test or an example."""

_DATA: Final = (
    "7z a apk asc avi avif bin bmp br bz2 class crt csv dat db deb der dll dylib eot exe flac gif gz icns ico "
    "idx iso jar jpeg jpg key lib lock log map mo mov mp3 mp4 nupkg o obj ogg otf p12 pack parquet patch diff "
    "pb pdf pem pickle pkl png po pot psd pyc rar rpm sig snap so sqlite sum svg tar tgz tif tiff tsv ttf wasm "
    "wav webm webp whl woff woff2 xz zip zst"
)
"""Endings of data, media, archives, and what a compiler writes."""

_ENDINGS: Final = frozenset(f"{_DOCUMENTS} {_PROGRAMS} {_DATA}".split())
"""Endings of files that deploy nothing by themselves."""

_NAME: Final = r"[a-z0-9]++(?:[._-]++[a-z0-9]++)*+"
_HOST: Final = r"(?:(?:localhost|[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)+)(?::[0-9]++)?+|[A-Za-z0-9-]++:[0-9]++)"
_PATH: Final = rf"{_NAME}(?:/{_NAME})*+"
_TAG: Final = r"(?::(?:[A-Za-z0-9_][A-Za-z0-9_.-]*+|[$][{(]?|\{\{)|@sha256:[0-9a-f]*+)"
_CERTAIN: Final = rf"(?:(?:{_HOST}/)?{_PATH}{_TAG}|{_HOST}/{_PATH})"
_END: Final = r"(?=[\s\"'`,;<>)\]}${]|@sha256:|$)"
_MEDIA: Final = re.compile(
    r"[^\s\"'<]*?\.(?:avif|bmp|gif|ico|img|iso|jpe?g|png|qcow2|svg|tiff?|vhdx?|vmdk|webp|xz)\b", re.IGNORECASE
)
_LONG: Final = 300
"""How far around a match is examined, so that the time stays linear for any input."""

_VALUE: Final = re.compile(
    r"(?:[Ii]mage(?:[-_]?[Nn]ame)?|IMAGE(?:_?NAME)?)[\"']?(?:[ \t]{0,40}(?::|:?=|=>)[ \t]{0,40}|>[ \t]{0,40})[\"'`]?"
    rf"(?:docker://)?(?P<value>{_CERTAIN}){_END}"
)
"""A value of something called an image, with a tag, a digest or a registry."""

_YAML_VALUE: Final = re.compile(
    rf"^[ \t]*+(?:-[ \t]++)*+[\"']?image[\"']?[ \t]*+:[ \t]++[\"']?(?P<value>{_PATH})[\"']?[ \t\r]*+(?:#.*+)?$",
    re.MULTILINE,
)
"""In YAML, a plain name is enough."""

_FROM: Final = re.compile(
    rf"^[ \t]*+FROM[ \t]++(?:--platform=\S++[ \t]++)?(?P<value>{_CERTAIN}{_END}|{_PATH}(?=[ \t]++(?:AS|as)[ \t]))",
    re.MULTILINE,
)
_BARE_FROM: Final = re.compile(rf"^FROM[ \t]++(?:(?P<value>{_PATH})[ \t\r]*+$|(?=[$]|\{{\{{))", re.MULTILINE)
"""With other instructions of Dockerfiles, a plain name, a variable or the expression of a template is enough."""

_INSTRUCTION: Final = re.compile(r"^(?:RUN|COPY|CMD|ENTRYPOINT|WORKDIR|ENV|ADD|EXPOSE)[ \t]", re.MULTILINE)

_TOOLS: Final = ("docker", "podman", "nerdctl")
_COMMAND: Final = re.compile(
    rf"(?<![\w-])(?P<tool>{'|'.join(_TOOLS)})"
    r"(?:[ \t]{1,40}-\S{1,100}(?:[ \t]{1,40}[^\s-]\S{0,100})??){0,5}[ \t]{1,40}"
    r"(?:image[ \t]{1,40}|container[ \t]{1,40}|buildx[ \t]{1,40})?(?P<verb>run|pull|build|create)(?=[ \t\\\r]|$)"
    r"(?P<value>)",
    re.MULTILINE,
)
_WORDS: Final = {
    _VALUE: ("image", "Image", "IMAGE"),
    _YAML_VALUE: ("image",),
    _FROM: ("FROM",),
    _BARE_FROM: ("FROM",),
    _COMMAND: _TOOLS,
}
"""Every pattern, with words of which a match has one."""

_API: Final = re.compile(r"""^[ \t{]*["']?(?:swagger|openapi)["']?[ \t]*:[ \t]*["']?[23]""", re.MULTILINE)
"""A description of an API, whose images are examples: https://spec.openapis.org/oas/latest.html."""

_COMMENTS: Final = ("#", "//", "*", "--", ";", "<!--", "REM ", "rem ", "::")


class Trace(NamedTuple):
    """A sign that a file refers to images.

    Attributes:
        line: its line, 1-based.
        text: the sign itself.
    """

    line: int
    text: str


def is_probed(path: str) -> bool:
    """Return whether files with the name in a path are probed: no documentation, programs, media, archives, lock files.

    >>> [is_probed(name) for name in ("Makefile", "run.sh", "main.tf", "README.md", "logo.png", "main.go")]
    [True, True, True, False, False, False]
    """
    name = path.rpartition("/")[2]
    before, dot, ending = name.rpartition(".")
    return not (dot and before and ending.lower() in _ENDINGS) and _NAMES.fullmatch(name) is None


def trace_of(text: str, *, yaml: bool = False) -> Trace | None:
    r"""Return the first trace of an image in a file, or None.

    Args:
        text: the content, or its beginning.
        yaml: whether it is YAML, where ``image:`` with a plain name is a trace, too.

    >>> trace_of("run:\n\tdocker run --rm alpine\n")
    Trace(line=2, text='docker run')
    >>> trace_of("# docker run alpine\nimage: logo.png\n") is None
    True
    """
    if ("openapi" in text or "swagger" in text) and _API.search(text):
        return None
    patterns = [_VALUE, _FROM, _COMMAND]
    if yaml:
        patterns.append(_YAML_VALUE)
    if "FROM" in text and _INSTRUCTION.search(text):
        patterns.append(_BARE_FROM)
    found = [match for pattern in patterns if (match := _first(pattern, text)) is not None]
    if not found:
        return None
    first = min(found, key=_start)
    return Trace(text.count("\n", 0, _start(first)) + 1, _shown(first))


def _shown(match: re.Match[str]) -> str:
    """Return what was found, without what is between: that may be a secret."""
    if match.re is _COMMAND:
        return f"{match['tool']} {match['verb']}"
    key = "FROM " if match.re in {_FROM, _BARE_FROM} else "image: "
    value = match["value"]
    if value and masked(word := _word_at(match), whole=True) != word:
        value = None
    return masked(key + (value or "…"))


def _word_at(match: re.Match[str]) -> str:
    """Return the value with all that follows it without a space: a password may go on where a reference must end."""
    start = match.start("value")
    return match.string[start : start + _LONG].split(maxsplit=1)[0]


def _first(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return the first match that is neither in a comment nor the name of a picture or a disk."""
    found = [match for word in _WORDS[pattern] if (match := _first_with(word, pattern, text)) is not None]
    return min(found, key=_start, default=None)


def _first_with(word: str, pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return the first match in lines that have a word, which is much quicker to find than a pattern."""
    start = 0
    while (at := text.find(word, start)) >= 0:
        left, right = max(at - _LONG, 0), at + 2 * _LONG
        begin = text.rfind("\n", left, at) + 1 or left
        end = text.find("\n", at, right)
        match = pattern.search(text, begin, right if end < 0 else end)
        if match is not None and not _is_comment(text, begin) and not _MEDIA.match(text, *_span(match)):
            return match
        start = at + _LONG if end < 0 else end
    return None


def _is_comment(text: str, begin: int) -> bool:
    return text[begin : begin + _LONG].lstrip().startswith(_COMMENTS)


def _span(match: re.Match[str]) -> tuple[int, int]:
    start = match.start("value") if match["value"] else match.end()
    return start, start + _LONG


def _start(match: re.Match[str]) -> int:
    return match.start() + len(match[0]) - len(match[0].lstrip())
