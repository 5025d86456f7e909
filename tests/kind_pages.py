"""Writes what follows from the table of kinds: ``python tests/kind_pages.py``. A test holds the files to it."""

from __future__ import annotations

import re
from pathlib import Path

from imgref.sources.kinds import KINDS, Kind
from imgref.sources.recognition import pattern_source
from imgref.sources.syntax import YAML

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "files.md"
HOOKS = ROOT / ".pre-commit-hooks.yaml"

TABLE = re.compile(r"^\| kind \| `--as` \|.*\n(?:\|.*\n)+", re.MULTILINE)


def table(kinds: dict[str, Kind] = KINDS) -> str:
    """Return the table of kinds in docs/files.md."""
    rows = ["| kind | `--as` | name | or content | references |", "|---|---|---|---|---|"]
    for kind in sorted(kinds.values(), key=lambda kind: kind.label.lower()):
        names = ", ".join(f"`{name}`" for name in kind.names)
        beside = f" beside or below a `{kind.beside}`" if kind.beside else ""
        word = ", also in " if kind.syntax is YAML else " in "
        maybe = word + ", ".join(f"`{name}`" for name in kind.maybe) if kind.maybe else ""
        rows.append(f"| {kind.label} | `{kind.name}` | {names}{beside} | {kind.content}{maybe} | {kind.references} |")
    return "\n".join(rows) + "\n"


def files(kinds: dict[str, Kind] = KINDS) -> str:
    """Return the pattern of the files that pre-commit passes to the hook: all that a check would look into.

    Other JSON than that of known names is not passed: it would be given by name, and must not have comments then.
    """
    names = [name for kind in kinds.values() for name in (*kind.names, *kind.maybe)]
    names = [name for name in names if not name.endswith(".yaml") and name != "*.json"]
    return _pattern("*.yaml", *names)


def exclude(kinds: dict[str, Kind] = KINDS) -> str:
    """Return the pattern of the files that pre-commit does not pass although their names match the other one."""
    return _pattern(*dict.fromkeys(name for kind in kinds.values() for name in kind.lookalikes))


def _pattern(*names: str) -> str:
    return "(?ix)(\\A|/)(\n    " + "\n  | ".join(map(pattern_source, names)) + "\n)\\Z\n"


def docs_with_table(text: str, kinds: dict[str, Kind] = KINDS) -> str:
    return TABLE.sub(lambda _: table(kinds), text)


def hooks_with_patterns(text: str, kinds: dict[str, Kind] = KINDS) -> str:
    for key, pattern in (("files", files(kinds)), ("exclude", exclude(kinds))):
        block = f"  {key}: |\n" + "".join(f"    {line}\n" for line in pattern.splitlines())
        text = re.sub(rf"^  {key}: \|\n(?:    .*\n)+", lambda _, block=block: block, text, flags=re.MULTILINE)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    DOCS.write_text(docs_with_table(DOCS.read_text(encoding="utf-8")), encoding="utf-8")
    HOOKS.write_text(hooks_with_patterns(HOOKS.read_text(encoding="utf-8")), encoding="utf-8")
