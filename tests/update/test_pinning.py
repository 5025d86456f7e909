"""Deciding what is pinned: which images are asked for, what an answer decides, and the exact tag."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from update.fakes import FakeRegistry, digest_of, result_of, source_of, spots_of, with_digests

from imgref.reference import ImageReference, parse
from imgref.update.pinning import images_to_pin, plan_pin, plan_unpin
from imgref.update.plan import Plan, Spot
from imgref.update.registry import Failed

STALE = f"sha256:{'0' * 64}"


class Moved(FakeRegistry):
    """A registry in which some tags are the same image."""

    same: tuple[str, ...] = ()

    def digests(self, images: Iterable[ImageReference]) -> dict[ImageReference, str | Failed]:
        found = dict(super().digests(list(images)))
        return {ref: digest_of("the/same") if ref.tag in self.same else answer for ref, answer in found.items()}


def pin(text: str, registry: FakeRegistry, *, refresh: bool = False, exact: bool = False) -> tuple[str, Plan]:
    data = with_digests(text).encode()
    plan = plan_pin(*spots_of(source_of("Dockerfile", data)), registry, refresh=refresh, exact=exact)
    return result_of(plan, data).decode(), plan


def spots(text: str) -> tuple[Spot, ...]:
    return spots_of(source_of("Dockerfile", with_digests(text).encode()))[0]


@pytest.mark.parametrize(
    ("text", "refresh", "asked"),
    [
        ("FROM a/b:1\nFROM a/b:1 AS x\nFROM a/b\n", False, ["a/b:1", "a/b:latest"]),
        (f"FROM a/b:1@{STALE}\n", False, []),
        (f"FROM a/b:1@{STALE}\nFROM a/b@{STALE}\n", True, ["a/b:1"]),
        ("ARG V=1\nFROM a/b:$V\nFROM c/d:2\n", False, ["c/d:2"]),
    ],
)
def test_images_to_pin_are_those_that_need_a_digest_each_once(text: str, refresh: bool, asked: list[str]) -> None:
    found = images_to_pin(spots(text), refresh=refresh, helm_tag=False)
    assert list(found) == [parse(name) for name in asked]


def test_pin_accepts_spots_that_can_be_read_only_once() -> None:
    found, left = spots_of(source_of("Dockerfile", b"FROM a/b:1\n"))
    assert len(plan_pin(iter(found), iter(left), FakeRegistry()).changes) == 1


def test_pin_with_exact_replaces_a_floating_tag_first() -> None:
    registry = Moved(("1", "1.27", "1.27.3", "1.27.3-alpine", "1.28.0", "latest"))
    registry.same = ("1", "1.27", "1.27.3", "latest")
    same = digest_of("the/same")
    expected = f"FROM nginx:1.27.3@{same}\nFROM nginx:1.27.3@{same}\nFROM redis:7@{digest_of('redis:7')}\n"
    assert pin("FROM nginx\nFROM nginx:1.27\nFROM redis:7\n", registry, exact=True)[0] == expected


def test_pin_without_exact_keeps_the_tag_and_asks_for_no_list() -> None:
    registry = FakeRegistry(("1.27.3",))
    assert pin("FROM nginx:1.27\n", registry)[0] == with_digests("FROM nginx:1.27@D(nginx:1.27)\n")
    assert registry.asked == ["docker.io/library/nginx:1.27"]


def test_pin_with_exact_keeps_the_tag_where_the_list_is_not_known() -> None:
    registry = FakeRegistry(("1.27.3",), failing={"docker.io/library/nginx": Failed("503")})
    assert pin("FROM nginx:1.27\n", registry, exact=True)[0] == with_digests("FROM nginx:1.27@D(nginx:1.27)\n")


@pytest.mark.parametrize(("missing", "why"), [(True, "missing"), (False, "failed")])
def test_pin_distinguishes_a_missing_image_from_a_registry_that_failed(missing: bool, why: str) -> None:
    registry = FakeRegistry(failing={"docker.io/a/b:1": Failed("no answer", missing=missing)})
    text, plan = pin("FROM a/b:1\nFROM a/b:2\n", registry)
    assert text == with_digests("FROM a/b:1\nFROM a/b:2@D(a/b:2)\n")
    assert [(left.why, left.reason) for left in plan.left] == [(why, "no answer")]


def test_pin_leaves_alone_what_has_its_tag_in_a_variable() -> None:
    _, plan = pin("ARG V=1\nFROM a/b:$V\n", FakeRegistry())
    assert [left.why for left in plan.left] == ["fixed"]


def test_pin_counts_what_is_pinned_already_and_refresh_what_is_current() -> None:
    pinned = "FROM a/b:1@D(a/b:1)\nFROM a/b@D(a/b:1)\n"
    for refresh in (False, True):
        text, plan = pin(pinned, FakeRegistry(), refresh=refresh)
        assert (text, plan.current, plan.left) == (with_digests(pinned), 2, ())
    assert pin(f"FROM a/b:1@{STALE}\n", FakeRegistry())[1].changes == ()
    assert pin(f"FROM a/b:1@{STALE}\n", FakeRegistry(), refresh=True)[0] == with_digests("FROM a/b:1@D(a/b:1)\n")


def test_unpin_leaves_alone_what_has_only_a_digest() -> None:
    data = with_digests("FROM a/b@D(a/b:1)\nFROM a/b:1@D(a/b:1)\nFROM a/b:1\n").encode()
    plan = plan_unpin(*spots_of(source_of("Dockerfile", data)))
    assert result_of(plan, data).decode() == with_digests("FROM a/b@D(a/b:1)\nFROM a/b:1\nFROM a/b:1\n")
    assert [(left.why, left.reason) for left in plan.left] == [("fixed", "it has only a digest, and no tag")]
    assert plan.current == 1
