"""``imgref parse``: what image references mean."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import click

from imgref.cli import EXIT_BAD_INPUT, _console
from imgref.cli._help import Command
from imgref.errors import InvalidReference
from imgref.reference import DEFAULT_REGISTRY, DEFAULT_TAG, ImageReference, canonical, left_out, mirrored, parse

if TYPE_CHECKING:
    from io import BufferedReader

__all__ = ["command"]

FIELDS: Final = (
    "input", "reference", "registry", "account", "name", "tag", "digest", "path", "repository", "familiar",
    "official", "defaulted",
)  # fmt: skip

_CHUNK: Final = 1 << 16
_LONGEST_LINE: Final = 1 << 20


class _Reader(NamedTuple):
    """Parses one reference with the options of the command."""

    default_registry: str
    default_tag: str | None
    to_registry: str | None
    strict: bool

    def read(self, text: str) -> ImageReference:
        ref = parse(text, default_registry=self.default_registry, default_tag=self.default_tag)
        if self.strict and (missing := left_out(text)):
            raise InvalidReference(
                text,
                (0, len(text)),
                f"--strict: the {' and the '.join(missing)} must be written out",
                str(ref),
            )
        return ref if self.to_registry is None else mirrored(ref, self.to_registry)

    def fields(self, text: str) -> dict[str, object]:
        ref = self.read(text)
        defaulted = [part for part in left_out(text) if getattr(ref, part) is not None]
        return {"input": text, **ref.to_dict(), "defaulted": defaulted}


@click.command(cls=Command)
@click.argument("references", nargs=-1, metavar="[REF]...")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "table"]),
    help="Output format; by default table on a terminal, otherwise text",
)
@click.option(
    "--field", "fields", multiple=True, metavar="NAME", type=click.Choice(FIELDS), help="Print this field; repeatable"
)
@click.option("--to-registry", metavar="HOST[/PREFIX]", help="Move the reference to another registry or HOST/PREFIX")
@click.option("--default-registry", metavar="HOST", default=DEFAULT_REGISTRY, show_default=True)
@click.option("--default-tag", metavar="TAG", default=DEFAULT_TAG, show_default=True)
@click.option("--no-default-tag", is_flag=True, help="Do not add a default tag")
@click.option("--strict", is_flag=True, help="Reject references without a registry or a tag")
def command(
    references: tuple[str, ...],
    style: str | None,
    fields: tuple[str, ...],
    to_registry: str | None,
    default_registry: str,
    default_tag: str,
    no_default_tag: bool,
    strict: bool,
) -> int:
    """Parse image references and print what they mean.

    Each REF is normalized as Docker reads it. A single - reads references from standard input, one per line.

    Fields: input, reference, registry, account, name, tag, digest, path, repository,
    familiar, official, defaulted.
    """
    if not references:
        raise click.UsageError("nothing given (an unset variable?); - reads standard input")
    reader = _Reader(default_registry, None if no_default_tag else default_tag, to_registry, strict)
    _check_options(reader)
    style = "text" if fields else style or ("table" if _console.is_terminal() else "text")
    gap = "\n" if references == ("-",) or len(references) > 1 else ""
    printer = _printer(reader, style, fields, gap)
    return _print_all(_batches(references), printer, style)


def _check_options(reader: _Reader) -> None:
    """Refuse a bad option before anything is printed."""
    options = {"--default-registry": reader.default_registry, "--to-registry": reader.to_registry}
    for option, registry in options.items():
        if registry is not None:
            host, slash, prefix = registry.partition("/") if option == "--to-registry" else (registry, "", "")
            with _blaming(option):
                # The whole value first: a password in it may have a slash.
                if slash:
                    parse(f"{host}/{prefix}/name")
                parse("name", default_registry=host)
    with _blaming("--default-tag"):
        parse("name", default_tag=reader.default_tag)


@contextmanager
def _blaming(option: str) -> Iterator[None]:
    """Name the option in whose value a reference is wrong."""
    try:
        yield
    except InvalidReference as error:
        text, span = error.shown()
        raise InvalidReference(text, span, f"{option}: {error.reason}", error.hint) from None


def _printer(reader: _Reader, style: str, fields: tuple[str, ...], gap: str) -> Callable[[str], str]:
    """Return the function from an input to what is printed for it; a gap follows each table."""
    if fields:
        return lambda text: "\t".join(_word(values[field]) for values in [reader.fields(text)] for field in fields)
    if style == "json":
        return lambda text: _json(reader.fields(text))
    if style == "table":
        return lambda text: _table(reader.fields(text)) + gap
    if reader == _Reader(DEFAULT_REGISTRY, DEFAULT_TAG, to_registry=None, strict=False):
        return canonical
    return lambda text: str(reader.read(text))


def _json(fields: dict[str, object]) -> str:
    import json

    return json.dumps(fields)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)


def _table(fields: dict[str, object]) -> str:
    shown = ("reference", "registry", "account", "name", "tag", "digest")
    filled = fields["defaulted"]
    assert isinstance(filled, list)
    rows = [(label, _word(fields[label]) + (" (default)" if label in filled else "")) for label in shown]
    return _console.parts([row for row in rows if row[1]])


class _Batch(NamedTuple):
    """Inputs that came together.

    Attributes:
        texts: the inputs.
        first: the number of the first line on standard input, or None for an argument.
    """

    texts: list[str]
    first: int | None = None


def _batches(references: tuple[str, ...]) -> Iterator[_Batch]:
    """Yield the inputs in batches."""
    for text in references:
        if text == "-":
            yield from _lines()
        else:
            yield _Batch([text])


def _lines() -> Iterator[_Batch]:
    """Read lines as they arrive: whatever has come is a batch, so output is prompt and memory is flat."""
    if sys.stdin is None:
        return
    number, rest = 0, b""
    read = cast("BufferedReader", sys.stdin.buffer).read1
    while chunk := read(_CHUNK):
        block, newline, rest = (rest + chunk).rpartition(b"\n")
        # A line without an end must not fill the memory. What is kept is still too long, and refused.
        rest = rest[: _LONGEST_LINE + 1]
        if newline:
            lines = _decoded(block + newline, first=number == 0).split("\n")[:-1]
            yield _Batch(lines, number + 1)
            number += len(lines)
    if rest:
        yield _Batch([_decoded(rest, first=number == 0)], number + 1)


def _decoded(block: bytes, *, first: bool) -> str:
    text = block.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    return text.removeprefix("\ufeff") if first else text


def _print_all(batches: Iterator[_Batch], printer: Callable[[str], str], style: str) -> int:
    seen = failed = False
    for batch in batches:
        printed = _printed(batch, printer)
        if printed is None:
            some, bad = _print_each(batch, printer, style)
            seen, failed = seen or some, failed or bad
        else:
            seen = True
            _write(printed, style)
    if not seen:
        raise click.UsageError("standard input holds no reference")
    return EXIT_BAD_INPUT if failed else 0


def _printed(batch: _Batch, printer: Callable[[str], str]) -> list[str] | None:
    """Return what to print for a batch, or None if one of its lines is bad or empty, which is rare."""
    if max(map(len, batch.texts)) > _LONGEST_LINE:
        return None
    try:
        return list(map(printer, batch.texts))
    except InvalidReference:
        return None


def _print_each(batch: _Batch, printer: Callable[[str], str], style: str) -> tuple[bool, bool]:
    """Print a batch one by one; return whether it has any reference, and whether it has a bad one."""
    seen = failed = False
    printed: list[str] = []
    for number, text in enumerate(batch.texts, batch.first or 0):
        if batch.first is not None and (not text or text.isspace()):
            continue
        seen = True
        try:
            if len(text) > _LONGEST_LINE:
                raise InvalidReference(text, (0, len(text)), f"a line of more than {_LONGEST_LINE} characters")
            printed.append(printer(text))
        except InvalidReference as error:
            failed = True
            if style == "json":
                printed.append(_json(_error_fields(error)))
            _write(printed, style)
            _console.show_error(error, where=f"line {number}" if number else "")
    _write(printed, style)
    return seen, failed


def _write(printed: list[str], style: str) -> None:
    if printed:
        printed.append("")
        text = "\n".join(printed)
        if style == "json":
            _console.write_json(text)
        else:
            _console.write(text, drawn=style == "table")
        sys.stdout.flush()
        printed.clear()


def _error_fields(error: InvalidReference) -> dict[str, object]:
    text, (start, end) = error.shown()
    return {"input": text, "error": {"reason": error.reason, "hint": error.hint, "start": start, "end": end}}
