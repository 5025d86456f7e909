"""The documentation site: its navigation has every page, and the pages at the top of the repository join it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
TOP = {"index.md", "changelog.md", "contributing.md", "security.md", "code-of-conduct.md"}


def navigation() -> list[dict[str, Any]]:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav: list[dict[str, Any]] = yaml.safe_load(re.sub(r"!!python/name:\S+", "name", text))["nav"]
    return nav


def pages(entries: object) -> list[str]:
    if isinstance(entries, str):
        return [entries]
    values = entries.values() if isinstance(entries, dict) else entries
    assert isinstance(values, list | type({}.values()))
    return [page for value in values for page in pages(value)]


def test_navigation_lists_every_page_once() -> None:
    listed = pages(navigation())
    assert sorted(listed) == sorted({path.name for path in (ROOT / "docs").glob("*.md")} | TOP)


def test_navigation_has_the_four_kinds_of_pages() -> None:
    headings = [heading for entry in navigation() for heading in entry]
    assert headings == ["Home", "Tutorials", "How-to guides", "Reference", "Explanation"]


def test_top_pages_are_those_that_the_site_adds() -> None:
    hook = (ROOT / "scripts" / "site.py").read_text(encoding="utf-8")
    added = dict(re.findall(r'"(\w+\.md)": "([\w-]+\.md)"', hook))
    assert set(added.values()) == TOP
    assert all((ROOT / name).is_file() for name in added)
