"""``imgref explain``: what a rule of ``imgref check`` is about."""

from __future__ import annotations

import click

from imgref._suggest import nearest
from imgref.check.rules import RULES, Rule
from imgref.check.rules.pages import all_pages, page
from imgref.cli import _console

__all__ = ["command"]


@click.command()
@click.argument("rules", nargs=-1, metavar="[CODE]...")
@click.option("--all", "every", is_flag=True, help="Print the pages of all rules, as docs/rules.md.")
def command(rules: tuple[str, ...], every: bool) -> int:
    """Explain the rules of imgref check.

    Each CODE, such as IMG301, or name, such as not-golden, prints that rule's page. Without any, the rules are listed.
    """
    if every and rules:
        raise click.UsageError("--all prints every page, and takes no codes")
    if every:
        _console.say(all_pages().rstrip("\n"))
    elif rules:
        _console.say("\n".join(page(_found(word)) for word in rules).rstrip("\n"))
    else:
        for rule in RULES.values():
            _console.say(f"{rule.code} {rule.name}: {rule.summary}")
    return 0


def _found(word: str) -> Rule:
    by_name = {rule.name: rule for rule in RULES.values()}
    rule = RULES.get(word.upper()) or by_name.get(word.lower())
    if rule is None:
        names = [*by_name, *RULES]
        near = nearest(word, names, cutoff=0.5) or nearest(word.upper(), names)
        raise click.UsageError(f"no rule is called {word!r}; did you mean {near!r}?")
    return rule
