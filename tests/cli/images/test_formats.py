"""Mermaid and HTML of ``imgref images``: what is drawn, and that no name in a file gets out of its place."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref.cli import _console
from imgref.cli.images._html import page
from imgref.cli.images._mermaid import flowchart
from imgref.inventory import Inventory, take_inventory
from imgref.inventory.graph import Graph, Query, around
from imgref.sources import find_references

FILES = {
    "base/Dockerfile": "FROM debian:12\n",
    "web/Dockerfile": "FROM golang:1 AS build\nFROM acme/base:1\nCOPY --from=build / /\n",
    "compose.yaml": "services: {base: {build: base, image: 'acme/base:1'}, web: {build: web, image: 'acme/web:2'}}",
}


def inventory_of(files: dict[str, str]) -> Inventory:
    return take_inventory((path, find_references(text, path=path)) for path, text in files.items())


class Elements(HTMLParser):
    """The elements of a page, the text outside of scripts, and what is left open."""

    VOID = frozenset({"meta", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.texts.append(data)


PLAIN = Elements(page(inventory_of({**FILES, "d": "FROM a b c"})))

HOSTILE = st.one_of(
    st.sampled_from([
        "</script><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "</title>", "<!--", "]]>", "&lt;",
        'x"]; click n0 "javascript:alert(1)"', "```\n# x", "%%{init: {}}%%", "\u202egnp", "end", "#quot;", "`a`",
        f"b:1@sha256:{64 * chr(48)}", "https://u:p@h/x",
    ]),
    st.text(min_size=1),
)  # fmt: skip


def hostile_files(path: str, name: str) -> dict[str, str]:
    quoted = name.replace("'", "''").replace("\n", " ").replace("\r", " ")
    return {
        f"{path}/Dockerfile": f"FROM {name}\nFROM a:1\n",
        f"{path}.yaml": f"services: {{'{quoted}': {{image: '{quoted}', build: {{context: '{quoted}'}}}}}}",
        "compose.yaml": "services: {'x</script>': {image: 'b:1', build: .}}",
        "Dockerfile": "FROM a:1\n",
    }


@given(HOSTILE, HOSTILE)
def test_no_name_becomes_a_part_of_the_page(path: str, name: str) -> None:
    text = page(inventory_of(hostile_files(path, name)))
    found = Elements(text)
    assert not found.open
    assert set(found.names) <= {*PLAIN.names, "li", "details", "summary", "ul", "section", "p"}
    assert found.names.count("script") == 1
    assert not [one for one in found.attributes if one.startswith("on")]
    assert "src" not in found.attributes
    # What every output goes through changes nothing on the page.
    assert _console.shown(text, "\n\t") == text


@given(HOSTILE, HOSTILE)
def test_no_name_becomes_a_part_of_the_flowchart(path: str, name: str) -> None:
    node = r'    n\d+(?:\["[^"\]`;]*(?:#\d+;[^"\]`;]*)*"\]|\(\["(?:[^"\]`;#]|#\d+;)*"\]\)|\{\{"(?:[^"`;#]|#\d+;)*"\}\})'
    first, *lines = flowchart(Graph(inventory_of(hostile_files(path, name)))).rstrip("\n").split("\n")
    assert first == "flowchart LR"
    for line in lines:
        assert re.fullmatch(rf"{node}|    n\d+ (?:-->|-\.->|==>) n\d+", line), line


def test_the_page_loads_nothing() -> None:
    text = page(inventory_of(FILES))
    assert not re.findall(r"https?://|@import|url\(|<link|<img|<iframe", text)
    assert "default-src 'none'" in text


def test_page_has_every_image_location_and_build() -> None:
    text = " ".join(Elements(page(inventory_of(FILES))).texts)
    for word in ("docker.io/library/golang", "web/Dockerfile:2", "docker.io/acme/base:1", "base image", "acme/web"):
        assert word in text


def test_page_lists_what_was_not_read_or_resolved() -> None:
    text = " ".join(Elements(page(inventory_of({"Dockerfile": "FROM a b c\nFROM $X\n"}))).texts)
    assert "Not read" in text
    assert "Dockerfile:1" in text
    assert "$X" in text


def test_a_flowchart_has_nodes_and_arrows_of_three_kinds() -> None:
    whole = inventory_of(FILES)
    query = Query.parse("debian")
    text = flowchart(Graph(around(whole, query)), frozenset(query.names(whole)))
    assert text == (
        "flowchart LR\n"
        '    n0(["base/Dockerfile"])\n'
        '    n1["docker.io/library/debian:12"]\n'
        '    n2["docker.io/acme/base:1"]\n'
        '    n3(["web/Dockerfile"])\n'
        '    n4["docker.io/library/golang:1"]\n'
        '    n5["docker.io/acme/web:2"]\n'
        "    n1 --> n0\n    n0 ==> n2\n    n2 --> n3\n    n4 -.-> n3\n    n3 ==> n5\n"
        "    classDef asked stroke-width:4px\n    class n1 asked\n"
    )


@pytest.mark.parametrize("files", [{}, {"compose.yaml": "services: {a: {image: b}}"}])
def test_a_tree_without_builds_has_a_flowchart_and_a_page(files: dict[str, str]) -> None:
    found = inventory_of(files)
    assert flowchart(Graph(found)) == 'flowchart LR\n    n0["nothing is built here"]\n'
    assert "<svg id=" not in page(found)
