"""A rule's page as Markdown: what ``imgref explain`` prints, and what docs/rules.md contains."""

from __future__ import annotations

from typing import Final

from imgref.check.rules import RULES
from imgref.check.rules.rule import Example, Rule

__all__ = ["all_pages", "help_text", "page"]

_LANGUAGES: Final = {"Dockerfile": "dockerfile", "compose.yaml": "yaml", "daemon.json": "json"}


def page(rule: Rule) -> str:
    """Return a rule's page.

    >>> page(RULES["IMG301"]).splitlines()[0]
    '## IMG301 not-golden'
    """
    parts = [
        f"## {rule.code} {rule.name}",
        f"{rule.summary[0].upper()}{rule.summary[1:]}. {_when(rule)}",
        f"### What it does\n\n{rule.page.what}",
        f"### Why this is bad\n\n{rule.page.why}",
        f"### Example\n\n{_example(rule.page.bad)}",
        f"Use instead:\n\n{_example(rule.page.good, settings=False)}",
        f"### How to fix\n\n{rule.page.fix}",
        f"### Settings\n\n{rule.page.settings}",
    ]
    return "\n\n".join(parts) + "\n"


def help_text(rule: Rule) -> str:
    """Return the description of a rule as a few lines of plain text."""
    return f"{rule.page.what}\n\n{rule.page.why}\n\n{rule.page.fix}"


def all_pages() -> str:
    """Return the pages of all rules, after a table of them."""
    rows = [
        f"| [{rule.code}](#{_anchor(rule)}) | {rule.name} | {rule.summary} | {_on(rule)} |" for rule in RULES.values()
    ]
    head = [
        "# Rules",
        "What `imgref check` looks for. This page is what `imgref explain --all` prints.",
        "\n".join(["| code | name | finds | on |", "|---|---|---|---|", *rows]),
    ]
    return "\n\n".join(head) + "\n\n" + "\n".join(map(page, RULES.values()))


def _anchor(rule: Rule) -> str:
    return f"{rule.code} {rule.name}".lower().replace(" ", "-")


def _on(rule: Rule) -> str:
    if rule.online is not None:
        return "with `--online`"
    if not rule.default:
        return "with `--enforce`" if rule.enforced else "no"
    return "if set" if rule.waits_for else "yes"


def _when(rule: Rule) -> str:
    if rule.online is not None:
        return "On with `--online`."
    if not rule.default:
        return "Off by default, on with `--enforce`." if rule.enforced else "Off by default."
    if rule.waits_for:
        names = [f"`{name.replace('_', '-')}`" for name in rule.waits_for]
        return f"On if {' or '.join(names)} is set."
    return "On by default."


def _example(example: Example, *, settings: bool = True) -> str:
    language = _LANGUAGES[example.file]
    block = f"```{language}\n{example.text}```"
    if not settings or not example.settings:
        return block
    return f"With these settings in `.imgref.toml`:\n\n```toml\n{example.settings}```\n\n`{example.file}`:\n\n{block}"
