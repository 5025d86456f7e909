"""``imgref explain``: what a rule of ``imgref check`` is about."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

import click

from imgref._utils.suggest import nearest
from imgref.check.rules import RULES, Rule
from imgref.check.rules.pages import all_pages, page
from imgref.cli import _console
from imgref.cli._help import Command

__all__ = ["command"]

_NARROW: Final = 20


@click.command(cls=Command)
@click.argument("rules", nargs=-1, metavar="[CODE]...")
@click.option("--all", "every", is_flag=True, help="Print the pages of all rules as Markdown")
def command(rules: tuple[str, ...], every: bool) -> int:
    """Explain the rules of imgref check.

    Print the page of each CODE, such as IMG301, or name, such as not-golden: formatted on a terminal,
    otherwise as Markdown. A prefix of several codes, such as IMG1, lists those rules. Without CODE,
    list all rules.

    \b
    Examples:
      imgref explain IMG301
      imgref explain IMG1
    """  # noqa: D301
    if every and rules:
        raise click.UsageError("--all prints every page, and takes no codes")
    if every:
        _show(all_pages())
        return 0
    # Everything is looked up before anything is printed, so that an error is the only output.
    found = [_found(word) for word in rules] or [list(RULES.values())]
    for number, matching in enumerate(found):
        if len(matching) > 1:
            for rule in matching:
                _console.say(f"{rule.code} {rule.name}: {rule.summary}")
        else:
            _show(page(matching[0]))
        if number + 1 < len(found):
            _console.say("")
    return 0


def _show(text: str) -> None:
    """Print Markdown as it is, or drawn on a terminal, where the table of all rules is left out."""
    if not _console.is_terminal():
        _console.say(text.rstrip("\n"))
        return
    from shutil import get_terminal_size

    from imgref.cli._markdown import render

    text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("| ") and "|---" not in line)
    columns = max(get_terminal_size().columns, _NARROW)
    _console.write(render(text, columns, lambda part, colour: _console.styled(part, colour, sys.stdout)), drawn=True)


def _found(word: str) -> list[Rule]:
    """Return the rule with a code or name, or those whose codes begin with a word."""
    by_name = {rule.name: rule for rule in RULES.values()}
    rule = RULES.get(word.upper()) or by_name.get(word.lower())
    if rule is not None:
        return [rule]
    found = [rule for code, rule in RULES.items() if code.startswith(word.upper())] if len(word) > 2 else []
    if not found:
        raise click.UsageError(f"no rule is called {word!r}{_meant(word, by_name)}")
    return found


def _meant(word: str, names: Iterable[str]) -> str:
    near = nearest(word, names, cutoff=0.5) or nearest(word.upper(), RULES, cutoff=0.5)
    return "; imgref explain lists all rules" if near is None else f"; did you mean {near!r}?"
