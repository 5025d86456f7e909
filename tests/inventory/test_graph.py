"""Who is built on what, in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref.inventory import Inventory, take_inventory
from imgref.inventory.graph import Graph, Query, around, without_digest
from imgref.sources import find_references

ZERO = "sha256:" + 64 * "0"
FILES = {
    "base/Dockerfile": "FROM debian:12\n",
    "web/Dockerfile": f"FROM golang:1 AS build\nFROM acme/base:1@{ZERO}\nCOPY --from=build / /\n",
    "alone/Dockerfile": "FROM alpine:3\n",
    "compose.yaml": "services: {base: {build: base, image: 'acme/base:1'}, web: {build: web, image: 'acme/web:2'}}",
    "app/Dockerfile": "FROM acme/web:2\n",
}


def inventory_of(files: dict[str, str]) -> Inventory:
    return take_inventory((path, find_references(text, path=path)) for path, text in files.items())


@pytest.mark.parametrize(
    ("image", "builds"),
    [
        ("debian", {"base/Dockerfile", "web/Dockerfile", "app/Dockerfile"}),
        ("debian:12", {"base/Dockerfile", "web/Dockerfile", "app/Dockerfile"}),
        ("debian:11", set()),
        ("acme/base", {"base/Dockerfile", "web/Dockerfile", "app/Dockerfile"}),
        ("acme/web:2", {"base/Dockerfile", "web/Dockerfile", "app/Dockerfile"}),
        ("golang", {"web/Dockerfile"}),
        ("alpine", {"alone/Dockerfile"}),
        ("nothing", set()),
    ],
)
def test_around_an_image_is_what_it_is_built_on_and_what_is_built_on_it(image: str, builds: set[str]) -> None:
    assert {build.id for build in around(inventory_of(FILES), Query.parse(image)).builds} == builds


def test_directions_are_distinguished() -> None:
    graph = Graph(inventory_of(FILES))
    assert [build.id for build in graph.built_on("docker.io/acme/base:1")] == ["web/Dockerfile"]
    assert [build.id for build in graph.all_built_on("docker.io/library/debian:12")] == [
        "base/Dockerfile",
        "web/Dockerfile",
        "app/Dockerfile",
    ]
    assert [build.id for build in graph.makers(f"docker.io/acme/base:1@{ZERO}")] == ["base/Dockerfile"]
    assert [build.id for build in graph.built_with("docker.io/library/golang:1")] == ["web/Dockerfile"]


def test_edges_lead_from_a_tag_to_the_same_tag_with_a_digest() -> None:
    edges = {(edge.source, edge.target): edge.label for edge in Graph(inventory_of(FILES)).edges}
    assert edges["image docker.io/acme/base:1", f"image docker.io/acme/base:1@{ZERO}"] == "makes"
    assert edges["image docker.io/library/golang:1", "build web/Dockerfile"] == "build"
    assert edges["build base/Dockerfile", "image docker.io/acme/base:1"] == "makes"


def test_a_reference_with_a_digest_alone_keeps_it() -> None:
    assert without_digest(f"localhost:5000/a@{ZERO}") == f"localhost:5000/a@{ZERO}"
    assert without_digest(f"localhost:5000/a:1@{ZERO}") == "localhost:5000/a:1"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_images_that_are_built_on_each_other_in_a_circle_end(pairs: list[tuple[int, int]]) -> None:
    services = "".join(f"  s{n}: {{build: d{n}, image: 'a{made}:1'}}\n" for n, (made, _) in enumerate(pairs))
    files = {f"d{n}/Dockerfile": f"FROM a{used}:1\n" for n, (_, used) in enumerate(pairs)}
    found = inventory_of({**files, "compose.yaml": f"services:\n{services}" if pairs else ""})
    for number in range(6):
        part = around(found, Query.parse(f"a{number}"))
        assert set(part.builds) <= set(found.builds)
        direct = {build for build in found.builds if build.base is not None and f"/a{number}:" in build.base.name}
        assert direct <= set(part.builds)
