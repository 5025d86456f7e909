"""From the references in files to an inventory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imgref.inventory import Inventory, Unread, take_inventory
from imgref.sources import find_references

ZERO = "sha256:" + 64 * "0"


def inventory_of(files: dict[str, str]) -> Inventory:
    return take_inventory((path, find_references(text, path=path)) for path, text in files.items())


def test_references_are_grouped_by_repository() -> None:
    found = inventory_of({
        "Dockerfile": f"FROM nginx:1.27 AS a\nFROM docker.io/library/nginx:1.27@{ZERO}\nCOPY --from=a / /\n",
        "compose.yaml": "services: {a: {image: nginx}, b: {image: 'nginx:1.27'}}",
    })  # fmt: skip
    (image,) = found.images
    assert image.repository == "docker.io/library/nginx"
    assert [(str(one.reference.tag), one.is_pinned, one.is_implicit, one.purposes) for one in image.references] == [
        ("1.27", False, False, ("build", "run")),
        ("1.27", True, False, ("base",)),
        ("latest", False, True, ("run",)),
    ]
    assert [use.place for use in image.uses] == ["Dockerfile:1", "compose.yaml:1", "Dockerfile:2", "compose.yaml:1"]


def test_copies_mounts_and_frontends_are_build_only() -> None:
    text = (
        "# syntax=docker/dockerfile:1\nFROM a:1\nCOPY --from=b:1 / /\nRUN --mount=type=bind,from=c:1,target=/x true\n"
    )
    found = inventory_of({"Dockerfile": text})
    purposes = {image.repository.rpartition("/")[2]: image.references[0].purposes for image in found.images}
    assert purposes == {"a": ("base",), "b": ("build",), "c": ("build",), "dockerfile": ("build",)}


def test_what_cannot_be_pulled_is_not_pullable() -> None:
    found = inventory_of({
        "Dockerfile": "FROM scratch\nCOPY --from=$X / /\n",
        "compose.yaml": "services: {a: {image: 'own:1', build: .}, b: {image: 'x:${TAG}'}, c: {image: 'A:1'}}",
        "values.yaml": "image: {repository: chart/app, tag: ''}",
    })  # fmt: skip
    assert not [one for one in found.references if one.is_pullable]
    assert found.scratch == 1
    assert [use.text for use in found.unresolved] == ["x:${TAG}"]
    assert [use.text for use in found.invalid] == ["A:1"]


def test_a_tag_that_a_chart_names_is_not_latest() -> None:
    reading = find_references("image: {repository: chart/app, tag: ''}", path="values.yaml", kind="helm-values")
    (one,) = take_inventory([("values.yaml", reading)]).references
    assert one.reference.tag is None
    assert not one.is_implicit
    assert not one.is_pullable


def test_an_image_that_one_file_builds_and_another_pulls_is_pullable() -> None:
    found = inventory_of({
        "compose.yaml": "services: {a: {image: 'acme/a:1', build: .}}",
        "pod.yaml": "{apiVersion: v1, kind: Pod, spec: {containers: [{image: 'acme/a:1'}]}}",
    })  # fmt: skip
    (one,) = found.references
    assert one.is_pullable
    assert one.purposes == ("run", "built")


def test_what_was_not_read_is_in_the_inventory() -> None:
    found = take_inventory(
        [("Dockerfile", find_references("FROM a b c\nFROM x:1\n", path="Dockerfile"))],
        unread=[Unread("b", "cannot be read")],
    )
    assert [(gap.path, gap.line, gap.is_error) for gap in found.unread] == [("b", None, True), ("Dockerfile", 1, True)]
    doubtful = take_inventory([("x.yaml", find_references("image: nginx\n a: [", path="x.yaml"))])
    assert doubtful.unread


@given(st.dictionaries(st.sampled_from(["a/Dockerfile", "compose.yaml", "b.yaml", "x"]), st.text()))
def test_inventory_of_any_input_never_fails(files: dict[str, str]) -> None:
    inventory_of(files)


NAMES = st.sampled_from(["nginx", "nginx:1", "ghcr.io/acme/app:2", f"redis@{ZERO}", "A", "$X", "scratch"])


@given(st.lists(NAMES, min_size=1), st.lists(NAMES, min_size=1))
def test_every_occurrence_that_is_not_a_stage_is_counted_once(bases: list[str], images: list[str]) -> None:
    files = {
        "Dockerfile": "".join(f"FROM {name}\n" for name in bases),
        "compose.yaml": "services:\n" + "".join(f"  s{n}: {{image: '{name}'}}\n" for n, name in enumerate(images)),
    }
    found = inventory_of(files)
    uses = [use for image in found.images for use in image.uses]
    assert len(uses) + len(found.unresolved) + len(found.invalid) + found.scratch == len(bases) + len(images)
