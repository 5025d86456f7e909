"""Images in Quadlet units: sections, quotes, continued lines, mounts, and what is another unit."""

from __future__ import annotations

import pytest
from facts import facts, spans
from growth import assert_linear
from tables import each

from imgref.sources import find_references
from imgref.sources.quadlet import is_quadlet, read
from imgref.update.consumers import takes_tag_and_digest

DIGEST = "sha256:" + "0" * 64


@each(
    ("text", "expected"),
    [
        ("[Container]\nImage=quay.io/a/b:1\n", [(2, 7, "quay.io/a/b:1", "quay.io/a/b:1", "external")]),
        ("[Container]\r\n Image = nginx \r\n", [(2, 10, "nginx", "nginx", "external")]),
        ("[Image]\nImage='nginx'\n", [(2, 8, "nginx", "nginx", "external")]),
        ("[Volume]\nDriver=image\nImage=nginx", [(3, 7, "nginx", "nginx", "external")]),
        ("[Image]\nImage=a\nImage=b\n", [(2, 7, "a", "a", "external"), (3, 7, "b", "b", "external")]),
        ("[Image]\nImage=docker://nginx:1\n", [(2, 7, "docker://nginx:1", "nginx:1", "external")]),
        ("[Image]\nImage=docker-archive:/tmp/x.tar\n", []),
        ("[Container]\nImage=web.image\n[Container]\nImage=web.build\n", []),
        ("[Container]\nImage=\n", []),
        ("[Container]\nRootfs=/x\nExec=podman run nginx\n", []),
        ("[Container]\n# Image=a\n; Image=b\nimage=c\n", []),
        ("[Service]\nImage=a\n[Pod]\nImage=b\n[Kube]\nYaml=c\n[Build]\nImageTag=d\n", []),
        ("[Container]\nImage=a:%i\n", [(2, 7, "a:%i", None, "unresolved")]),
        ("[Container]\nImage=a:${TAG}\n", [(2, 7, "a:${TAG}", None, "unresolved")]),
        ("[Container]\nImage=BAD\n", [(2, 7, "BAD", "BAD", "invalid")]),
        ("[Container]\nImage=\\\n  nginx\n", [(3, 3, "nginx", "nginx", "external")]),
        ("[Container]\nExec=a \\\n# Image=no\n  Image=no\nImage=b\n", [(5, 7, "b", "b", "external")]),
        ("[Container]\nMount=type=image,source=fedora,destination=/x\n", [(2, 25, "fedora", "fedora", "external")]),
        ('[Container]\nMount="destination=/x,src=a/b:1,type=image"\n', [(2, 27, "a/b:1", "a/b:1", "external")]),
        ("[Container]\nMount=destination=/x, \\\n  src=a,type=image\n", [(3, 7, "a", "a", "external")]),
        ("[Container]\nMount=type=bind,source=/x\nMount=type=artifact,source=a\nMount=type=image\n", []),
        ("[Container]\nMount=type=image,source=a.image\n", []),
    ],
)  # fmt: skip
def test_quadlet_references(text: str, expected: list[tuple[int, int, str, str | None, str]]) -> None:
    reading = read(text)
    assert facts(reading) == expected
    assert not reading.problems


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("[Container]\nImage='nginx:1'\n", "nginx:1"),
        ("[Image]\nImage=docker://nginx:1\n", "nginx:1"),
        ("[Container]\nMount=type=image,src=a:1,dst=/x\n", "a:1"),
        ("[Container]\nImage=a/\\\n  b\n", None),
    ],
)
def test_quadlet_image_is_edited_where_it_is_written(text: str, span: str | None) -> None:
    assert spans(read(text), text) == [span]


@pytest.mark.parametrize(
    "setting", ["AutoUpdate=registry", 'AutoUpdate="registry"', "Label=io.containers.autoupdate=registry"]
)
@pytest.mark.parametrize("order", [1, -1])
def test_quadlet_image_that_podman_updates_is_not_pinned(setting: str, order: int) -> None:
    reading = read("[Container]\n" + "\n".join([setting, "Image=a.example/b:1"][::order]))
    (found,) = reading.occurrences
    assert found.target is not None
    assert "AutoUpdate" in found.target.unpinnable


def test_quadlet_image_of_a_mount_is_not_pinned() -> None:
    assert takes_tag_and_digest("quadlet", "quadlet.Container.Image")
    assert not takes_tag_and_digest("quadlet", "quadlet.Container.Mount")


def test_quadlet_comments_to_imgref_are_at_the_start_of_a_line() -> None:
    reading = read("; imgref: ignore-file[IMG101]\n[Container]\n # imgref: keep it\nImage=\\\n a # imgref: no\n")
    assert [(one.line, one.column, one.text, one.trailing) for one in reading.comments] == [
        (1, 1, "ignore-file[IMG101]", False),
        (3, 2, "keep it", False),
    ]
    assert reading.continued == (range(4, 6),)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.container", "quadlet"),
        ("a.container.d/x.conf", "quadlet"),
        ("a.conf", "unknown"),
        ("disk.image", "quadlet"),
    ],
)
def test_quadlet_is_recognized_by_name_and_section(path: str, kind: str) -> None:
    text = "[Unit]\n\n[Container]\nImage=a\n" if kind == "quadlet" else "[Unit]\n"
    assert find_references(text, path=path).kind == kind


@pytest.mark.parametrize("text", ["[Container", "x [Container]", "Container", "[Unit]", "\0\1[Container]"])
def test_quadlet_needs_a_section_of_its_own(text: str) -> None:
    assert not is_quadlet(text)


@each("part", ["\\\n", "[Image]\n", "Image=a\n", "Image=", "#\n", " ", "=", "Mount=type=image,", ",", "%", "${"])
@each("before", ["[Container]\n", "[Container]\nImage=", "[Container]\nMount=type=image,source="])
def test_quadlet_of_many_parts_takes_linear_time(part: str, before: str) -> None:
    assert_linear(lambda size: before + part * size + "x", read, 100, 3)
