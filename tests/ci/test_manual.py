"""Builds that are described by hand, or by a git checkout."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref import UnknownBuild
from imgref.ci import Checkout, adjusted_build, detect, manual_build, tags_of_build

SHA = "b" * 40
CHECKOUT = Checkout(SHA, "main", ("v1.0.0",), "git@host:acme/app", "main")
DETACHED = CHECKOUT._replace(branch=None)


@pytest.mark.parametrize(
    ("ref", "event", "kind", "name"),
    [
        ("refs/heads/main", None, "branch", "main"),
        ("refs/heads/main", "schedule", "schedule", "main"),
        ("refs/tags/v1.0.0", None, "tag", "v1.0.0"),
        ("refs/tags/v1.0.0", "schedule", "tag", "v1.0.0"),
        ("refs/pull/42/merge", "pr", "pull-request", "42"),
        ("main", "branch", "branch", "main"),
        ("v1.0.0", "tag", "tag", "v1.0.0"),
        ("refs/heads/gh-readonly-queue/main/pr-1", None, "merge-group", "gh-readonly-queue/main/pr-1"),
    ],
)
def test_manual_build_of_a_ref_is_what_the_ref_names(ref: str, event: str | None, kind: str, name: str) -> None:
    build = manual_build(ref, event=event)
    assert build.event == kind
    assert name in (build.branch, build.tag, build.pull_request)


@each(
    "facts",
    [
        {"ref": "main"}, {"ref": ""}, {"ref": "refs/heads/"}, {"ref": "refs/notes/x", "event": "branch"},
        {"ref": "refs/heads/main", "event": "tag"}, {"ref": "refs/tags/v1", "event": "branch"},
        {"ref": "refs/heads/main", "event": "pr"}, {"pull_request": "42", "event": "branch"},
        {"pull_request": "0"}, {"pull_request": "42x"}, {"pull_request": ""}, {"event": "pr"}, {"event": "tag"}, {},
        {"ref": "refs/heads/main", "sha": "main"}, {"ref": "refs/heads/main", "sha": "0" * 40},
        {"checkout": DETACHED._replace(tags=())}, {"checkout": DETACHED._replace(tags=("v1.0.0", "v1.0.1"))},
        {"checkout": DETACHED, "event": "branch"}, {"checkout": CHECKOUT._replace(tags=()), "event": "tag"},
        {"checkout": CHECKOUT, "event": "pr"},
    ],
    ids=str,
)  # fmt: skip
def test_manual_build_that_is_not_known_for_certain_raises_unknown_build(facts: dict[str, str]) -> None:
    with pytest.raises(UnknownBuild):
        manual_build(**facts)  # type: ignore[arg-type]


def test_manual_build_of_a_checkout_is_its_branch_or_git_tag() -> None:
    build = manual_build(checkout=CHECKOUT)
    assert (build.event, build.branch, build.tag, build.sha) == ("branch", "main", None, SHA)
    assert (build.source, build.default_branch) == ("https://host/acme/app", "main")
    assert manual_build(checkout=DETACHED).tag == manual_build(checkout=CHECKOUT, event="tag").tag == "v1.0.0"
    assert manual_build(checkout=CHECKOUT, event="schedule").event == "schedule"
    other = manual_build("refs/tags/v2.0.0", sha="c" * 40, checkout=CHECKOUT)
    assert (other.tag, other.branch, other.sha) == ("v2.0.0", None, "c" * 40)


def test_adjusted_build_keeps_the_values_of_its_system() -> None:
    branch = detect({"CIRCLECI": "true", "CIRCLE_BRANCH": "main"})
    assert adjusted_build(branch, sha=SHA).sha == SHA
    assert adjusted_build(branch, event="schedule").event == "schedule"
    tag = detect({"CIRCLECI": "true", "CIRCLE_TAG": "v1.0.0"})
    assert adjusted_build(tag, event="schedule").event == adjusted_build(tag, event="tag").event == "tag"
    for event in ("pr", "branch"):
        with pytest.raises(UnknownBuild, match="another event"):
            adjusted_build(tag, event=event)


refs = st.sampled_from(["refs/heads/", "refs/tags/", "refs/pull/", "refs/", ""]).flatmap(
    lambda start: st.text(max_size=12).map(lambda name: start + name)
)


@given(
    st.none() | refs,
    st.sampled_from([None, "tag", "branch", "pr", "schedule"]),
    st.none() | st.text("0123456789x", max_size=4),
    st.sampled_from([None, CHECKOUT, DETACHED]),
)
def test_manual_build_of_anything_is_a_build_or_unknown(
    ref: str | None, event: str | None, number: str | None, checkout: Checkout | None
) -> None:
    try:
        build = manual_build(ref, event=event, pull_request=number, checkout=checkout)
    except UnknownBuild:
        return
    if number is not None:
        assert build.event == "pull-request"
        assert re.fullmatch(r"pr-[1-9]\d*", tags_of_build(build).plan.tags[0])
    if ref is not None and ref.startswith("refs/tags/") and number is None:
        assert (build.event, build.tag) == ("tag", ref.removeprefix("refs/tags/"))
