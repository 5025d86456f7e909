"""The builds of bake files: inheritance, matrices, and which targets are builds."""

from __future__ import annotations

import pytest
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st

from imgref.inventory import take_inventory
from imgref.sources import find_references
from imgref.sources.builds import BuildTarget
from imgref.sources.hcl.bake import read

TARGETS = """\
variable "TAG" { default = "1.2" }
group "default" { targets = ["app", "db"] }
target "_common" {
  args = { BASE = "alpine:3", V = "1" }
  dockerfile = "docker/Dockerfile"
}
target "app" {
  inherits = ["_common"]
  context  = "app"
  args     = { V = TAG }
  tags     = ["acme/app:${TAG}", "acme/app:${UNKNOWN}"]
  contexts = { lib = "target:lib" }
}
target "lib" {
  target = "lib"
}
target "db" {
  dockerfile-inline = "FROM postgres:16"
}
"""


def builds(text: str) -> dict[str, BuildTarget]:
    return {one.name: one for one in read(text).builds}


def test_a_target_has_what_it_inherits() -> None:
    found = builds(TARGETS)
    assert list(found) == ["app", "lib", "db"]
    assert found["app"] == BuildTarget(
        "app",
        7,
        "app",
        "docker/Dockerfile",
        args=(("BASE", "alpine:3"), ("V", "1.2")),
        contexts=(("lib", "target:lib"),),
        images=("acme/app:1.2",),
    )
    assert found["lib"] == BuildTarget("lib", 14, target="lib")
    assert found["db"].inline == "FROM postgres:16"


def test_of_several_parents_the_last_one_counts_and_a_later_block_first() -> None:
    text = (
        'target "a" {\n  context = "a"\n  target = "t"\n}\ntarget "b" { context = "b" }\n'
        'target "c" {\n  inherits = ["a", "b"]\n}\ntarget "c" { dockerfile = "x" }\n'
    )
    (one,) = read(text).builds
    assert (one.name, one.context, one.target, one.dockerfile) == ("c", "b", "t", "x")


def test_a_matrix_makes_a_target_of_each_combination() -> None:
    text = (
        'target "x" {\n  name = "x-${os.name}-${v}"\n  matrix = {\n    os = [{ name = "a" }, { name = "b" }]\n'
        '    v = ["1", "2"]\n  }\n  args = { V = v }\n  tags = ["acme/${os.name}:${v}"]\n}\n'
    )
    assert {name: (one.images, one.args) for name, one in builds(text).items()} == {
        f"x-{os}-{v}": ((f"acme/{os}:{v}",), (("V", v),)) for os in "ab" for v in "12"
    }


def test_json_is_read_alike() -> None:
    (one,) = read('{"target": {"a": {"context": "x", "tags": ["acme/a:1"], "args": {"V": "2"}}}}').builds
    assert one == BuildTarget("a", 1, "x", args=(("V", "2"),), images=("acme/a:1",))


@pytest.mark.parametrize("value", ["UNKNOWN", '"${UNKNOWN}/x"', "f(1)"])
def test_an_unknown_context_is_not_guessed(value: str) -> None:
    assert builds(f'target "a" {{\n  context = {value}\n}}\n')["a"].context is None
    assert builds(f'target "a" {{\n  dockerfile = {value}\n}}\n')["a"].context is None


def test_inventory_follows_targets_through_dockerfiles() -> None:
    files = {
        "docker-bake.hcl": TARGETS,
        "app/docker/Dockerfile": "ARG BASE\nFROM lib AS lib\nFROM $BASE\nCOPY --from=lib /a /a\n",
        "Dockerfile": "FROM golang:1.24 AS lib\n",
    }

    def reread(path: str, args: object) -> object:
        return find_references(files[path], path=path, build_args=args)  # type: ignore[arg-type]

    readings = ((path, find_references(text, path=path)) for path, text in files.items())
    inventory = take_inventory(readings, reread=reread)  # type: ignore[arg-type]
    found = {build.id: build for build in inventory.builds}
    app = found["docker-bake.hcl: app"]
    assert app.base is not None
    assert app.base.name == "docker.io/library/alpine:3"
    assert app.images == ("docker.io/acme/app:1.2",)
    assert {(one.kind, one.name) for one in app.ingredients} >= {("build", "docker-bake.hcl: lib")}
    assert [one.name for one in found["docker-bake.hcl: db"].ingredients] == ["docker.io/library/postgres:16"]


@given(st.text('target"ab{}[]=,$\n inheritsmatrixname', max_size=60))
def test_any_input_is_read_without_an_error(text: str) -> None:
    read(f'target "a" {{\n  {text}\n}}\n')


@pytest.mark.parametrize(
    "part",
    [
        'target "a{}" {{\n  inherits = ["a0", "b"]\n}}\n',
        'target "b" {{\n  inherits = ["b", "a{}"]\n  tags = ["x"]\n}}\n',
        'target "m{}" {{\n  name = "x"\n  matrix = {{ a = ["1", "2"] }}\n}}\n',
    ],
)
def test_reading_targets_takes_linear_time(part: str) -> None:
    assert_linear(lambda size: "".join(part.format(number) for number in range(size)), read, 50, 3)
