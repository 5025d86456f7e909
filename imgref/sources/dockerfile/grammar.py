"""What BuildKit refuses in an instruction: the flags and the number of arguments that each one takes.

One refusal an instruction, the first that is found. Values that matter only while building (owners, modes,
durations) are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Literal

from imgref.errors import quote
from imgref.sources.dockerfile.instructions import Instruction, Refused, Span
from imgref.sources.dockerfile.shell_words import SPACE, BadWord, find_heredocs

__all__ = ["STAGE_NAME", "check", "unknown_instruction", "words"]

STAGE_NAME: Final = re.compile("[a-z][a-z0-9_.-]*")

_PLATFORM: Final = re.compile(r"[A-Za-z0-9_.+()-]*(?:/[A-Za-z0-9_.-]+){0,2}")

_Kind = Literal["value", "values", "switch"]

FLAGS: Final[dict[str, dict[str, _Kind]]] = {
    "from": {"platform": "value"},
    "copy": {
        "from": "value", "chown": "value", "chmod": "value", "link": "switch", "parents": "switch",
        "exclude": "values",
    },
    "add": {
        "chown": "value", "chmod": "value", "link": "switch", "keep-git-dir": "switch", "checksum": "value",
        "unpack": "switch", "exclude": "values",
    },
    "run": {"mount": "values", "network": "value", "security": "value", "device": "values"},
    "healthcheck": {
        "interval": "value", "timeout": "value", "start-period": "value", "start-interval": "value",
        "retries": "value",
    },
}  # fmt: skip
"""The flags of each instruction: with a value, repeatable, or without a value."""

_WORDS: Final = {
    escape: re.compile(f"(?:[^{SPACE}'\"{e}]|{e}.|'[^']*+(?:'|\\Z)|\"(?:[^\"{e}]|{e}.)*+(?:\"|{e}?\\Z))++", re.DOTALL)
    for escape, e in (("\\", "\\\\"), ("`", "`"))
}


def check(instruction: Instruction, escape: str) -> None:
    """Check one instruction.

    Raises:
        Refused: BuildKit would not take it.
    """
    if instruction.refused is not None:
        raise instruction.refused
    if not instruction.is_known:
        raise unknown_instruction(instruction)
    _CHECKS[instruction.keyword](instruction, escape)
    if instruction.flags and instruction.keyword not in ("arg", "stopsignal"):  # these two let any flag pass
        _check_flags(instruction)


def words(instruction: Instruction, escape: str) -> Iterator[Span]:
    """Yield the positions of arguments in which spaces can be quoted or escaped, as ARG and ENV read them."""
    for match in _WORDS[escape].finditer(instruction.args):
        yield Span(instruction.args_at + match.start(), instruction.args_at + match.end())


def unknown_instruction(instruction: Instruction) -> Refused:
    """Report that an instruction does not exist, and which one was probably meant."""
    span = instruction.span
    message = f"unknown instruction {quote(instruction.line.text[span.start : span.end])}"
    from imgref._utils.suggest import nearest

    if near := nearest(instruction.keyword, _CHECKS, cutoff=0.7):
        return Refused(span, message, near.upper())
    return Refused(span, f"{message}; a line that goes on in the next one ends in the escape character")


def _check_flags(instruction: Instruction) -> None:
    known = FLAGS.get(instruction.keyword, {})
    name = instruction.keyword.upper()
    seen: set[str] = set()
    for flag in instruction.flags:
        kind = known.get(flag.name)
        if kind is None:
            if flag.name == "from" and name == "ADD":
                raise Refused(flag.span, "ADD takes no --from: only COPY copies from another image", "COPY")
            takes = f"it takes {', '.join(f'--{one}' for one in known)}" if known else "it takes none"
            raise Refused(flag.span, f"{name} has no flag {quote('--' + flag.name)}: {takes}")
        if kind == "switch":
            if flag.value is not None and flag.value.lower() not in ("true", "false"):
                raise Refused(flag.span, f"--{flag.name} is either true or false")
        elif flag.value is None:
            raise Refused(flag.span, f"--{flag.name} has no value; write --{flag.name}=VALUE")
        elif flag.name == "platform" and "$" not in flag.value and _PLATFORM.fullmatch(flag.value) is None:
            raise Refused(flag.span, f"{quote(flag.value)} is not a platform such as linux/arm64")
        if flag.name in seen and kind != "values":
            raise Refused(flag.span, f"--{flag.name} is given twice")
        seen.add(flag.name)


def _from(instruction: Instruction, _: str) -> None:
    spans = instruction.spans()
    text = instruction.line.text
    given = [text[span.start : span.end] for span in spans]
    if len(given) == 1:
        return
    where = Span(instruction.args_at, instruction.end) if given else instruction.span
    if not given:
        raise Refused(where, "FROM has no image")
    comment = next((span for span in spans if text[span.start] == "#"), None)
    if comment is not None:
        raise Refused(Span(comment.start, instruction.end), "a comment must be on its own line")
    if given[1].lower() != "as":
        raise Refused(where, "FROM takes one image, and after it only AS with the name of the stage")
    if len(given) == 2:
        raise Refused(spans[1], "the name of the stage is missing after AS")
    if len(given) > 3:
        raise Refused(Span(spans[3].start, instruction.end), "FROM takes nothing after the name of the stage")
    if STAGE_NAME.fullmatch(given[2].lower()) is None:
        rule = "it begins with a letter, and has letters, digits, '-', '_' and '.'"
        raise Refused(spans[2], f"{quote(given[2])} is not a valid stage name: {rule}")


def _sources(instruction: Instruction, _: str) -> None:
    given = instruction.words
    spans = instruction.spans() if given is None else []
    if (len(spans) if given is None else len(given)) < 2:
        raise Refused(instruction.span, f"{instruction.keyword.upper()} needs a source and a destination")
    text = instruction.line.text
    target = given[-1] if given is not None else text[spans[-1].start : spans[-1].end]
    if "<<" in target:
        try:
            is_heredoc = bool(find_heredocs(target))
        except BadWord:
            is_heredoc = False
        if is_heredoc:
            raise Refused(Span(instruction.args_at, instruction.end), "a heredoc cannot be the destination")


def _some(instruction: Instruction, _: str) -> None:
    if not instruction.args or instruction.words == []:
        raise Refused(instruction.span, f"{instruction.keyword.upper()} needs an argument")


def _arg(instruction: Instruction, escape: str) -> None:
    _some(instruction, escape)
    for span in words(instruction, escape):
        if instruction.line.text[span.start] == "=":
            raise Refused(span, "ARG has no name before the '='")


def _pairs(instruction: Instruction, escape: str) -> None:
    _some(instruction, escape)
    name, text = instruction.keyword.upper(), instruction.line.text
    for number, span in enumerate(words(instruction, escape)):
        word = text[span.start : span.end]
        if "=" not in word and not number:  # the old form, NAME VALUE
            if len(instruction.spans()) < 2:
                raise Refused(span, f"{name} has no value; write {name} NAME=VALUE")
            return
        if "=" not in word:
            raise Refused(span, f"{quote(word)} has no '=': {name} takes NAME=VALUE, with quotes around spaces")
        if word.startswith("="):
            raise Refused(span, f"{name} has no name before the '='")


def _volume(instruction: Instruction, escape: str) -> None:
    _some(instruction, escape)
    if instruction.words is not None and not all(word.strip(SPACE) for word in instruction.words):
        raise Refused(Span(instruction.args_at, instruction.end), "VOLUME takes no empty path")


def _shell(instruction: Instruction, _: str) -> None:
    if not instruction.words:
        raise Refused(instruction.span, 'SHELL takes a JSON array of words, as in ["/bin/sh", "-c"]')


def _healthcheck(instruction: Instruction, escape: str) -> None:
    _some(instruction, escape)
    first, *rest = instruction.spans()
    kind = instruction.line.text[first.start : first.end].upper()
    if kind == "NONE":
        if rest:
            raise Refused(Span(rest[0].start, instruction.end), "HEALTHCHECK NONE takes no arguments")
    elif kind != "CMD":
        raise Refused(first, "HEALTHCHECK goes on with CMD or NONE")
    elif not rest or instruction.words == []:
        raise Refused(first, "HEALTHCHECK CMD names no command")


def _onbuild(instruction: Instruction, escape: str) -> None:
    if instruction.inner is None:
        raise Refused(instruction.span, "ONBUILD needs an instruction")
    if instruction.inner.keyword in ("onbuild", "from", "maintainer"):
        name = instruction.inner.keyword.upper()
        raise Refused(instruction.inner.span, f"{name} is not allowed in ONBUILD")
    check(instruction.inner, escape)


def _nothing(_instruction: Instruction, _escape: str) -> None:
    """Any arguments will do."""


_CHECKS: Final[dict[str, Callable[[Instruction, str], None]]] = {
    "add": _sources,
    "arg": _arg,
    "cmd": _nothing,
    "copy": _sources,
    "entrypoint": _nothing,
    "env": _pairs,
    "expose": _some,
    "from": _from,
    "healthcheck": _healthcheck,
    "label": _pairs,
    "maintainer": _some,
    "onbuild": _onbuild,
    "run": _nothing,
    "shell": _shell,
    "stopsignal": _some,
    "user": _some,
    "volume": _volume,
    "workdir": _some,
}
