"""``--format html`` of ``imgref images``: one page that needs nothing else, with the graph and sortable tables."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from imgref import __version__
from imgref.cli import _console
from imgref.cli.images._summary import LABELS, counted, short, summary
from imgref.cli.images._svg import drawing, text_of
from imgref.inventory.graph import Graph, Query

if TYPE_CHECKING:
    from imgref.inventory.model import Build, Inventory, Use, UsedReference

__all__ = ["page", "write_html"]

_PLACES: Final = 4
"""How many locations a cell shows before the rest is folded."""


def write_html(inventory: Inventory, query: Query | None) -> None:
    """Write the inventory as one HTML page."""
    _console.write(page(inventory, query))
    _console.note(summary(inventory))


def page(inventory: Inventory, query: Query | None = None) -> str:
    """Return the inventory as one HTML page, which loads nothing."""
    # Nothing that is on the page goes into these two, so that their hashes can be all that is allowed to run.
    style, script = _asset("_page.css"), _asset("_page.js")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    about = "Images in use" if query is None else f"Images around {query.ref.without_digest()}"
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<title>{text_of(about)}</title>\n<style>{style}</style>\n</head>\n<body>",
        f'<header><h1>{text_of(about)}</h1><p class="lead">{_lead(inventory)}</p></header>',
        "<main>",
        _tiles(inventory),
        *_sections(inventory, query),
        "</main>",
        f"<footer>Made by imgref {escape(__version__)}.</footer>",
        f"<script>{script}</script>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _asset(name: str) -> str:
    """Return a file of this package."""
    return files("imgref.cli.images").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _lead(inventory: Inventory) -> str:
    return f"{counted(inventory.files, 'file')} with image references or builds"


def _tiles(inventory: Inventory) -> str:
    references = inventory.references
    pinned = sum(one.is_pinned for one in references)
    tiles = [
        ("Images", str(len(inventory.images)), False),
        ("Tags and digests", str(len(references)), False),
        ("Pinned by digest", f"{pinned} <small>of {len(references)}</small>", False),
        ("Builds", str(len(inventory.builds)), False),
        ("Not resolved", str(len(inventory.unresolved) + len(inventory.invalid)), False),
    ]
    unread = len({gap.path for gap in inventory.unread})
    tiles += [("Not read", str(unread), True)] if unread else []
    cells = (
        f'<div class="tile{" wrong" if wrong else ""}"><dt>{name}</dt><dd>{value}</dd></div>'
        for name, value, wrong in tiles
    )
    return f'<dl class="tiles">{"".join(cells)}</dl>'


def _sections(inventory: Inventory, query: Query | None) -> Iterator[str]:
    if inventory.unread:
        items = (f"<li><code>{text_of(gap.place)}</code>: {text_of(gap.reason)}</li>" for gap in inventory.unread)
        yield _section("unread", "Not read", "Images can be missing.", f"<ul>{''.join(items)}</ul>", wrong=True)
    graph = Graph(inventory)
    rows = {str(one.reference): f"image-{number}" for number, one in enumerate(inventory.references)}
    builds = {build.id: f"build-{number}" for number, build in enumerate(inventory.builds)}
    if graph.edges:
        links = {f"image {name}": place for name, place in rows.items()}
        links |= {f"build {name}": place for name, place in builds.items()}
        marked = frozenset() if query is None else frozenset(query.names(inventory))
        body = f'{_LEGEND}<div class="scroll" tabindex="0" role="region" aria-label="Graph of the builds">'
        alone = sum(not build.ingredients and not build.images for build in inventory.builds)
        text = f"{counted(alone, 'build')} without a known base not drawn; see the table of builds." if alone else ""
        yield _section("built", "What is built on what", text, f"{body}{drawing(graph, links, marked)}</div>")
    yield _section("used", "Images", "", _TOOLS + _table("images", _IMAGES, _image_rows(inventory, rows)))
    if inventory.builds:
        yield _section("builds", "Builds", "", _table("builds-table", _BUILDS, _build_rows(inventory, builds)))
    unknown = [*inventory.unresolved, *inventory.invalid]
    if unknown:
        why = "The image behind these references is not known from the files."
        yield _section("unknown", "Not resolved", why, _table("unknown-table", _UNKNOWN, _unknown_rows(unknown)))


_IMAGES: Final = ("Image", "Tag or digest", "Pinned", "Used as", "Used in")
_BUILDS: Final = ("Build", "Built on", "Makes", "Needed to build", "Defined in")
_UNKNOWN: Final = ("Written", "Place", "Reason")

_TOOLS: Final = (
    '<div class="tools" id="tools" hidden><label for="filter">Filter</label>'
    '<input type="search" id="filter" placeholder="image, tag, file …" autocomplete="off">'
    '<span id="count" role="status"></span></div>'
)

_NAME: Final = ' class="name"'

_LEGEND: Final = (
    '<ul class="legend">'
    '<li><svg width="22" height="18" aria-hidden="true"><g class="node image"><rect x="1" y="2" width="20" height="14"'
    ' rx="4"></rect></g></svg>image</li>'
    '<li><svg width="22" height="18" aria-hidden="true"><g class="node build"><rect x="1" y="2" width="20" height="14"'
    ' rx="4"></rect></g></svg>build</li>'
    '<li><svg width="30" height="18" aria-hidden="true"><path class="arrow" d="M0 9h22"></path><path class="head"'
    ' d="M30 9l-8 -4v8z"></path></svg>is the base of</li>'
    '<li><svg width="30" height="18" aria-hidden="true"><path class="arrow build" d="M0 9h22"></path><path class="head"'
    ' d="M30 9l-8 -4v8z"></path></svg>is needed to build</li>'
    '<li><svg width="30" height="18" aria-hidden="true"><path class="arrow makes" d="M0 9h22"></path><path'
    ' class="head makes" d="M30 9l-8 -4v8z"></path></svg>makes</li></ul>'
)


def _section(name: str, heading: str, text: str, body: str, *, wrong: bool = False) -> str:
    lead = f"<p>{text}</p>" if text else ""
    kind = ' class="wrong"' if wrong else ""
    return f'<section{kind} aria-labelledby="{name}"><h2 id="{name}">{heading}</h2>{lead}{body}</section>'


def _table(name: str, headers: Sequence[str], rows: Iterable[tuple[str, Sequence[tuple[str, str]]]]) -> str:
    """Return a table; a row is its id and its cells, each with what it is sorted by. Roles keep it one on a phone."""
    head = "".join(f'<th scope="col" role="columnheader">{header}</th>' for header in headers)
    body = []
    for place, cells in rows:
        columns = (
            f'<td role="cell" data-label="{header}" data-sort="{key}"{_NAME if header == headers[0] else ""}>'
            f"<div>{cell}</div></td>"
            for header, (cell, key) in zip(headers, cells, strict=True)
        )
        body.append(f'<tr role="row"{f" id={place}" if place else ""}>{"".join(columns)}</tr>')
    top = f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
    rest = f'<tbody role="rowgroup">{"".join(body)}</tbody>'
    return f'<div class="wide"><table class="sortable" id="{name}" role="table">{top}{rest}</table></div>'


def _image_rows(inventory: Inventory, rows: dict[str, str]) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    for image in inventory.images:
        for one in image.references:
            kinds = "".join(f'<span class="pill">{LABELS[purpose]}</span>' for purpose in one.purposes)
            places = [use.place for use in one.uses]
            yield (
                rows[str(one.reference)],
                (
                    (f"<code>{text_of(image.repository)}</code>", text_of(image.repository)),
                    (f"<code>{_tag(one)}</code>", text_of(one.reference.tag or one.reference.digest or "")),
                    (_pinned(one), str(2 * one.is_pinned + (not one.is_implicit))),
                    (kinds, " ".join(one.purposes)),
                    (_places(places), f"{len(set(places)):06}"),
                ),
            )


def _tag(one: UsedReference) -> str:
    ref = one.reference
    if ref.tag is None and ref.digest is None:
        return "(named elsewhere)"
    digest = (
        ""
        if ref.digest is None
        else f'<span title="{text_of(ref.digest)}">&#64;{text_of(short("@" + ref.digest)[1:])}</span>'
    )
    return text_of(ref.tag or "") + digest


def _pinned(one: UsedReference) -> str:
    if one.is_pinned:
        return '<span class="pill good">pinned</span>'
    return '<span class="pill bad">no tag</span>' if one.is_implicit else '<span class="pill">tag only</span>'


def _places(places: Iterable[str]) -> str:
    items = [f"<li><code>{text_of(place)}</code></li>" for place in dict.fromkeys(places)]
    first = f'<ul class="places">{"".join(items[:_PLACES])}</ul>' if items else ""
    if len(items) <= _PLACES:
        return first
    more = f'<ul class="places">{"".join(items[_PLACES:])}</ul>'
    return f"{first}<details><summary>{len(items) - _PLACES} more</summary>{more}</details>"


def _build_rows(inventory: Inventory, builds: dict[str, str]) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    for build in inventory.builds:
        base = _base(build)
        needed = [short(one.name) for one in build.ingredients if one.purpose == "build"]
        defined = [f"{place.path}:{place.line}" for place in build.definitions]
        yield (
            builds[build.id],
            (
                (f"<code>{text_of(build.id)}</code>", text_of(build.id)),
                (f"<code>{text_of(base)}</code>" if build.base else text_of(base), text_of(base)),
                (_places(build.images), text_of(" ".join(build.images))),
                (_places(needed), f"{len(needed):06}"),
                (_places(defined), text_of(" ".join(defined))),
            ),
        )


def _base(build: Build) -> str:
    if build.base is None:
        return build.reason or "-"
    return short(build.base.name) + (f" ({build.base.reason})" if build.base.reason else "")


def _unknown_rows(uses: Iterable[Use]) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    for use in uses:
        written, place, reason = (
            text_of(use.text),
            text_of(use.place),
            text_of(use.reason or "it is not a valid reference"),
        )
        yield "", ((f"<code>{written}</code>", written), (f"<code>{place}</code>", place), (reason, reason))
