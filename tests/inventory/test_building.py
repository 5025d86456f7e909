"""What is built here: Dockerfiles, and the builds that other files define."""

from __future__ import annotations

from collections.abc import Mapping

from imgref.inventory import Build, Inventory, take_inventory
from imgref.sources import Reading, find_references


def inventory_of(files: dict[str, str]) -> Inventory:
    def reread(path: str, args: Mapping[str, str]) -> Reading | None:
        return find_references(files[path], path=path, build_args=args)

    readings = ((path, find_references(text, path=path)) for path, text in files.items())
    return take_inventory(readings, reread=reread)


def builds_of(files: dict[str, str]) -> dict[str, Build]:
    return {build.id: build for build in inventory_of(files).builds}


def base(build: Build) -> str:
    assert build.base is not None
    return build.base.name


def test_service_names_the_image_of_its_dockerfile() -> None:
    builds = builds_of({
        "web/Dockerfile": "FROM nginx:1\n",
        "deploy/compose.yaml": "services: {web: {build: ../web, image: 'acme/web:1'}}",
    })  # fmt: skip
    (build,) = builds.values()
    assert build.id == "web/Dockerfile"
    assert build.images == ("docker.io/acme/web:1",)
    assert [(place.path, place.line, place.name) for place in build.definitions] == [("deploy/compose.yaml", 1, "web")]


def test_targets_are_builds_of_their_own() -> None:
    builds = builds_of({
        "Dockerfile": "FROM a:1 AS dev\nFROM b:1\n",
        "compose.yaml": "services: {dev: {build: {target: dev}}, prod: {build: .}, no: {build: {target: x}}}",
    })  # fmt: skip
    assert base(builds["Dockerfile"]) == "docker.io/library/b:1"
    assert base(builds["compose.yaml: dev"]) == "docker.io/library/a:1"
    assert builds["compose.yaml: no"].reason == "the Dockerfile has no stage 'x'"


def test_arguments_of_a_service_decide_the_base() -> None:
    files = {
        "Dockerfile": "ARG BASE\nFROM $BASE\n",
        "compose.yaml": "services: {a: {build: {args: {BASE: 'debian:12'}}}, b: {build: {args: ['BASE=alpine:3']}}}",
    }
    builds = builds_of(files)
    assert {name: base(build) for name, build in builds.items()} == {
        "compose.yaml: a": "docker.io/library/debian:12",
        "compose.yaml: b": "docker.io/library/alpine:3",
    }
    uses = [use for image in inventory_of(files).images for use in image.uses]
    assert [(use.place, use.by) for use in uses] == [
        ("Dockerfile:2", "compose.yaml: b"),
        ("Dockerfile:2", "compose.yaml: a"),
    ]


def test_a_default_stays_a_build_of_its_own() -> None:
    builds = builds_of({
        "Dockerfile": "ARG V=1\nFROM a:$V\n",
        "compose.yaml": "services: {x: {build: {args: {V: '2'}}}, y: {build: {args: {OTHER: '2'}}}}",
    })  # fmt: skip
    assert {name: base(build) for name, build in builds.items()} == {
        "Dockerfile": "docker.io/library/a:1",
        "compose.yaml: x": "docker.io/library/a:2",
    }
    assert [place.name for place in builds["Dockerfile"].definitions] == ["y"]


def test_what_is_not_read_is_said_to_be_not_read() -> None:
    builds = builds_of({
        "compose.yaml": "services: {a: {build: ./missing}, b: {build: 'https://example.com/x.git'}, c: {build: $X}}",
    })  # fmt: skip
    assert {name: build.reason for name, build in builds.items()} == {
        "compose.yaml: a": "missing/Dockerfile was not read",
        "compose.yaml: b": "its build context is not known here",
        "compose.yaml: c": "its build context is not known here",
    }


def test_an_inline_dockerfile_can_be_built_on_another_service() -> None:
    builds = builds_of({
        "Dockerfile": "FROM a:1\n",
        "compose.yaml": """
services:
  base: {build: .}
  app:
    build:
      dockerfile_inline: |
        FROM base
        COPY --from=gone / /
      additional_contexts: [base=service:base, gone=service:gone]
""",
    })  # fmt: skip
    found = builds["compose.yaml: app"].ingredients
    assert [(one.kind, one.name) for one in found] == [("build", "Dockerfile"), ("unknown", "gone")]
