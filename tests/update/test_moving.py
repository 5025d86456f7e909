"""Moving tags: levels, ages, ranges, digests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from update.fakes import FakeRegistry, result_of, source_of, spots_of, with_digests

from imgref.reference import parse
from imgref.update.moving import plan_update
from imgref.update.plan import Plan
from imgref.update.policy import ImageRule, Rule, UpdatePolicy
from imgref.update.registry import Failed
from imgref.versions import VersionRange

NOW = datetime(2026, 1, 31, tzinfo=UTC)
OLD = datetime(2026, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def update(text: str, registry: FakeRegistry, rule: Rule = Rule()) -> tuple[str, Plan]:  # noqa: B008
    data = with_digests(text).encode()
    plan = plan_update(*spots_of(source_of("Dockerfile", data)), registry, lambda _: rule, NOW)
    return result_of(plan, data).decode(), plan


@pytest.mark.parametrize(
    ("level", "expected"), [("patch", "1.2.4"), ("minor", "1.3.0"), ("major", "2.0.0"), ("digest", "1.2.3")]
)
def test_update_moves_within_its_level(level: str, expected: str) -> None:
    registry = FakeRegistry(("1.2.3", "1.2.4", "1.3.0", "2.0.0"))
    rule = Rule(level)  # type: ignore[arg-type]
    assert update("FROM a/b:1.2.3\n", registry, rule)[0] == f"FROM a/b:{expected}\n"


def test_update_stays_within_a_range() -> None:
    registry = FakeRegistry(("15.1", "16.2", "17.0"))
    rule = Rule("major", within=VersionRange.parse("<17", "numeric"))
    assert update("FROM postgres:15.1\n", registry, rule)[0] == "FROM postgres:16.2\n"


def test_update_to_digest_replaces_a_digest_that_no_longer_matches() -> None:
    stale = f"sha256:{'0' * 64}"
    registry = FakeRegistry(("1.2.4",))
    result, _ = update(f"FROM a/b:1.2.3@{stale}\nFROM c/d:latest@{stale}\n", registry, Rule("digest"))
    assert result == with_digests("FROM a/b:1.2.3@D(a/b:1.2.3)\nFROM c/d:latest@D(c/d:latest)\n")
    assert not [one for one in registry.asked if one.endswith("a/b")]


def test_update_asks_for_each_repository_and_digest_once() -> None:
    registry = FakeRegistry(("1.2.4",))
    update("FROM a/b:1.2.3@D(a/b:1.2.3)\nFROM a/b:1.2.3@D(a/b:1.2.3)\nFROM a/b:1.2.0\n", registry)
    assert sorted(registry.asked) == ["docker.io/a/b", "docker.io/a/b:1.2.4"]


def test_update_takes_the_newest_image_that_is_old_enough() -> None:
    ages = {"1.3.1": NOW - timedelta(days=1), "1.3.0": OLD}
    registry = FakeRegistry(("1.3.0", "1.3.1"), ages)
    assert update("FROM a/b:1.2.3\n", registry, Rule(min_age=WEEK))[0] == "FROM a/b:1.3.0\n"


@pytest.mark.parametrize(
    ("ages", "reason"),
    [
        ({}, "1.3.0 is of unknown age"),
        ({"1.3.0": NOW - timedelta(hours=1)}, "1.3.0 is too new: created 2026-01-30 23:00"),
    ],
)
def test_update_holds_a_tag_whose_image_is_too_new_or_of_unknown_age(
    ages: dict[str, datetime | None], reason: str
) -> None:
    result, plan = update("FROM a/b:1.2.3\n", FakeRegistry(("1.3.0",), ages), Rule(min_age=WEEK))
    assert (result, [left.reason for left in plan.left]) == ("FROM a/b:1.2.3\n", [reason])


def test_update_asks_for_no_age_without_a_least_age() -> None:
    registry = FakeRegistry(("1.3.0",))
    update("FROM a/b:1.2.3\n", registry)
    assert not [one for one in registry.asked if one.startswith("age")]


@pytest.mark.parametrize("missing", [True, False])
def test_update_leaves_alone_what_the_registry_does_not_answer(missing: bool) -> None:
    registry = FakeRegistry(("1.3.0",), failing={"docker.io/a/b": Failed("why", missing)})
    result, plan = update("FROM a/b:1.2.3\nFROM c/d:1.2.3\n", registry)
    assert result == "FROM a/b:1.2.3\nFROM c/d:1.3.0\n"
    assert [(left.why, left.reason) for left in plan.left] == [("missing" if missing else "failed", "why")]


def test_update_leaves_a_tag_alone_whose_new_digest_is_unknown() -> None:
    registry = FakeRegistry(("1.3.0",), failing={"docker.io/a/b:1.3.0": Failed("why")})
    result, _ = update("FROM a/b:1.2.3@D(a/b:1.2.3)\n", registry)
    assert result == with_digests("FROM a/b:1.2.3@D(a/b:1.2.3)\n")


def test_policy_returns_the_first_rule_that_matches() -> None:
    entries = (
        ImageRule(lambda ref: ref.name == "postgres", Rule("patch")),
        ImageRule(lambda ref: True, Rule("major")),
    )
    policy = UpdatePolicy(Rule(), entries)
    assert (policy.rule_for(parse("postgres")).to, policy.rule_for(parse("nginx")).to) == ("patch", "major")
    assert UpdatePolicy(Rule("digest")).rule_for(parse("nginx")).to == "digest"


def test_update_moves_to_a_pre_release_only_if_the_rule_allows_it() -> None:
    registry = FakeRegistry(("1.2.3", "1.3.0-rc.1", "1.3.0-rc.2"))
    assert update("FROM a/b:1.2.3\n", registry)[0] == "FROM a/b:1.2.3\n"
    assert update("FROM a/b:1.2.3\n", registry, Rule(pre=True))[0] == "FROM a/b:1.3.0-rc.2\n"


def test_update_lists_the_tags_of_no_image_that_keeps_its_tag() -> None:
    registry = FakeRegistry(("1.2.4",))
    update("FROM a/b:1.2.3\nFROM a/b:1.2.3@D(a/b:1.2.3)\n", registry, Rule("digest"))
    assert registry.asked == ["docker.io/a/b:1.2.3"]


def test_update_reports_a_pinned_tag_without_version_only_if_its_digest_is_old() -> None:
    current, plan = update("FROM a/b:edge@D(a/b:edge)\n", FakeRegistry(("1.0",)))
    assert (current, plan.current, plan.left) == (with_digests("FROM a/b:edge@D(a/b:edge)\n"), 1, ())
    _, plan = update("FROM a/b:edge\n", FakeRegistry(("1.0",)))
    assert [left.reason for left in plan.left] == ["its tag has no version"]


def test_update_reports_a_held_tag_although_the_digest_is_current() -> None:
    registry = FakeRegistry(("4.5.0", "4.6.0", "5.0.1", "5.1.0", "20.04.1", "40.0.1"))
    _, plan = update("FROM a/b:5.1.0@D(a/b:5.1.0)\n", registry, Rule("major"))
    assert [left.reason for left in plan.left] == ["40.0.1 is held: its numbers do not fit the other tags"]
