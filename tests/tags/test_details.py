"""Fine points of tag plans: suffixes that are refused, defaults, and the helpers that a release uses."""

from __future__ import annotations

import pytest
from tables import each

from imgref import ExistingTags, HeldTag, InvalidTag, InvalidVersion, TagPolicy, plan_tags, sanitize_tag
from imgref.tags import exact_tags, is_release, is_stable, is_tag_of, same_version, version_tags

ALPINE = TagPolicy(prefix="app-", suffix="alpine", v="both", channels=True)


@pytest.mark.parametrize(
    ("suffix", "reason", "hint"),
    [
        ("-.alpine", "a suffix gets a '-' before it, and begins with a letter, a digit or '_'", "alpine"),
        (".", "a suffix gets a '-' before it, and begins with a letter, a digit or '_'", None),
        ("al pine", "' ' is not allowed in a tag", None),
        ("x" * 129, "it is longer than a tag may be", None),
        ("alpine-\n", r"'\n' is not allowed in a tag", None),
    ],
)
def test_policy_with_a_bad_suffix_has_the_reason(suffix: str, reason: str, hint: str | None) -> None:
    with pytest.raises(InvalidTag) as caught:
        TagPolicy(suffix=suffix)
    assert (caught.value.reason, caught.value.hint) == (reason, hint)


def test_existing_tags_by_default_are_a_list_with_prefix() -> None:
    assert ExistingTags(("1.0.0",)) == (("1.0.0",), "list", "list")
    plan = plan_tags("1.0.0", existing=["1.1.0", ExistingTags(("2.0.0",), "file")])
    assert [count.source for count in plan.existing] == ["list", "file"]
    assert plan.tags == ("1.0.0", "1.0")


def test_tag_that_one_variant_holds_and_another_plans_is_not_held() -> None:
    plan = plan_tags("1.0.0", existing=["2.0.0"], policy=TagPolicy(suffix=("", "latest")))
    assert "latest" in plan.tags
    assert plan.held == ()


def test_exact_tags_of_a_policy_have_its_suffix_and_v() -> None:
    assert exact_tags("1.2.3") == ("1.2.3",)
    assert exact_tags("app-1.2.3", policy=ALPINE) == ("v1.2.3-alpine", "1.2.3-alpine")
    assert exact_tags("1.2.3+b", policy=TagPolicy(build="underscore")) == ("1.2.3_b",)
    assert exact_tags("1.2.3", policy=TagPolicy(build="underscore")) == ("1.2.3",)
    with pytest.raises(InvalidTag):
        exact_tags("1.2.3-" + "a" * 128)


def test_is_release_of_a_text_depends_on_the_policy() -> None:
    assert is_release("1.2.3")
    assert not is_release("1.2")
    assert is_release("1.2", policy=TagPolicy(scheme="pep440"))
    assert is_release("app-1.2.3", policy=ALPINE)
    assert not is_release("1.2.3", policy=ALPINE)


def test_version_tags_of_a_registry_are_sorted_by_nearness() -> None:
    names = ["1.9.0", "2.1.0", "1.10.1", "2.0.0", "1.10.2", "app-1.0.0", "1.9.0-alpine", "main"]
    assert version_tags(names, "1.10.1") == ("1.10.1", "1.9.0", "1.9.0-alpine", "2.1.0", "2.0.0", "1.10.2")
    assert version_tags(names, "app-1.10.1", policy=ALPINE) == ("1.9.0-alpine",)
    assert version_tags(["1.0.0", "1.0.0"], "1.0.0") == ("1.0.0",)


def test_version_tags_beside_a_dotted_version_have_no_bare_number_that_nothing_continues() -> None:
    names, policy = ["20240101", "3", "1", "1.2", "1.2.3"], TagPolicy(scheme="numeric")
    assert version_tags(names, "1.3", policy=policy) == ("1.2.3", "1.2", "1")
    assert version_tags(names, "5", policy=policy) == ("3", "1.2.3", "1.2", "1", "20240101")


def test_is_stable_of_a_tag_depends_on_the_policy() -> None:
    assert not is_stable("1.2.3.4")
    assert is_stable("1.2.3.4", policy=TagPolicy(scheme="numeric"))
    # Tags never carry the prefix; one variant is enough.
    policy = TagPolicy(prefix="app-", suffix=("", "alpine"))
    assert is_stable("1.2.3", policy=policy)
    assert is_stable("1.2.3-alpine", policy=policy)
    assert not is_stable("app-1.2.3", policy=policy)


def test_same_version_of_a_tag_depends_on_the_policy() -> None:
    names = ["main", "1.2.3", "1.2.3.0", "app-1.2.3", "v1.2.3", "1.2.3-alpine"]
    assert same_version(names, "1.2.3") == ("1.2.3", "v1.2.3")
    assert same_version(names, "1.2.3", policy=TagPolicy(scheme="numeric")) == ("1.2.3", "1.2.3.0", "v1.2.3")
    assert same_version(names, "1.2.3", policy=TagPolicy(prefix="app-")) == ("1.2.3", "v1.2.3")
    assert same_version(names, "1.2.3", policy=ALPINE) == ()
    assert same_version(names, "main") == ()


@each(
    ("tag", "version", "policy", "belongs"),
    [
        ("2.1", "2.1.3", None, True),
        ("v2.1", "2.1.3", None, True),
        ("v2.1.3", "2.1.3", None, True),
        ("2.2", "2.1.3", None, False),
        ("vlatest", "2.1.3", None, True),
        ("2", "main", None, False),
        ("2.1-alpine", "2.1.3-alpine", ALPINE, True),
        ("v2.1-alpine", "2.1.3-alpine", ALPINE, True),
        ("2.1", "2.1.3-alpine", ALPINE, False),
        ("2.1-alpine", "2.1.3", ALPINE, False),
        ("rc-alpine", "2.1.3-rc.1-alpine", ALPINE, True),
        ("rc", "2.1.3-rc.1", None, False),
    ],
)
def test_is_tag_of_a_version_knows_its_floating_tags(
    tag: str, version: str, policy: TagPolicy | None, belongs: bool
) -> None:
    assert is_tag_of(tag, version, policy=policy) is belongs


def test_release_without_the_prefix_is_refused_with_the_prefix_as_a_hint() -> None:
    policy = TagPolicy(prefix="app-")
    for text, hint in (("1.2.3", "app-1.2.3"), ("main", None)):
        with pytest.raises(InvalidVersion, match="does not begin with the prefix 'app-'") as caught:
            plan_tags(text, policy=policy)
        assert caught.value.hint == hint


@each(
    ("version", "policy", "existing", "tags", "held"),
    [
        ("2.0.0-rc.1", TagPolicy(channels=True), ["2.0.0-rc.2"], ["2.0.0-rc.1"], ["2.0-rc", "rc"]),
        ("2.0.0-rc.1", TagPolicy(channels=True), ["2.0.0-beta.2"], ["2.0.0-rc.1", "2.0-rc", "rc"], []),
        ("2.0.0-rc.1", TagPolicy(channels=True), ["2.1.0-rc.1"], ["2.0.0-rc.1", "2.0-rc"], ["rc"]),
        ("2.0.0-rc.1", TagPolicy(channels=True), ["2.0.0"], ["2.0.0-rc.1"], ["2.0-rc", "rc"]),
        ("2.0.0-rc.1", TagPolicy(channels=True), ["2.0.0-rc.1"], ["2.0.0-rc.1", "2.0-rc", "rc"], []),
        ("2.0.0-edge.1", TagPolicy(channels=True), [], ["2.0.0-edge.1"], []),
        ("2.0.0-slim.1", TagPolicy(channels=True, suffix=("", "slim")), [], ["2.0.0-slim.1", "2.0.0-slim.1-slim"], []),
        ("2.0.0-rc.1", TagPolicy(), ["2.0.0-rc.2"], ["2.0.0-rc.1"], []),
        ("2.0-rc", TagPolicy(channels=True, scheme="numeric"), ["2.0-rc1"], [], ["2.0-rc", "rc"]),
        ("2-rc1", TagPolicy(channels=True, scheme="numeric"), [], ["2-rc1", "rc"], []),
        ("1.0.0", TagPolicy(latest="always"), ["2.0.0"], ["1.0.0", "1.0", "1", "latest"], []),
        ("1.0.0", TagPolicy(latest="never"), [], ["1.0.0", "1.0", "1"], []),
        ("0.1.0", TagPolicy(), [], ["0.1.0", "0.1", "latest"], []),
        ("0.1.0", TagPolicy(major_zero=True), [], ["0.1.0", "0.1", "0", "latest"], []),
        ("1.2", TagPolicy(scheme="numeric"), ["1.2.3"], [], ["1.2", "1", "latest"]),
        ("1.2+b", TagPolicy(scheme="numeric", build="underscore"), ["1.2.3"], ["1.2_b"], ["1", "latest"]),
        ("1.2", TagPolicy(scheme="numeric"), ["1.2.0"], ["1.2", "1", "latest"], []),
        ("v1.0.0", TagPolicy(v="keep"), [], ["v1.0.0", "v1.0", "v1", "latest"], []),
        ("1.0.0", TagPolicy(v="keep"), [], ["1.0.0", "1.0", "1", "latest"], []),
        ("1.0.0", TagPolicy(v="both"), [], ["v1.0.0", "1.0.0", "v1.0", "1.0", "v1", "1", "latest"], []),
        ("5.0", TagPolicy(scheme="numeric"), ["43", "4.2"], ["5.0", "5", "latest"], []),
        ("5", TagPolicy(scheme="numeric"), ["43", "4.2"], ["5"], ["latest"]),
        ("5", TagPolicy(scheme="numeric"), ["43", "6"], ["5"], ["latest"]),
        ("42", TagPolicy(channels=True, scheme="pep440"), ["43rc1", "42.0"], ["42", "latest"], []),
        ("43rc1", TagPolicy(channels=True, scheme="pep440"), ["43rc2", "42.0"], ["43rc1"], ["rc"]),
        ("43rc3", TagPolicy(channels=True, scheme="pep440"), ["43rc2", "42.0"], ["43rc3", "rc"], []),
    ],
)
def test_plan_of_a_release_has_tags_and_held_tags(
    version: str, policy: TagPolicy, existing: list[str], tags: list[str], held: list[str]
) -> None:
    plan = plan_tags(version, existing=existing, policy=policy)
    assert [list(plan.tags), [each.tag for each in plan.held]] == [tags, held]


def test_plan_names_the_scheme_and_the_prerelease() -> None:
    plan = plan_tags("1.2.3-rc.1")
    assert (plan.version, plan.scheme, plan.prerelease) == ("1.2.3-rc.1", "semver", True)
    assert plan_tags("1.2", policy=TagPolicy(scheme="pep440")).scheme == "pep440"
    assert not plan_tags("1.2.3").prerelease
    assert plan_tags("1.9.0", existing=["2.0.0", "2"]).held == (HeldTag("latest", "2.0.0"),)


@pytest.mark.parametrize(
    ("text", "longest", "reason"),
    [
        ("x" * 20, 9, "only 9 characters are left"),
        ("x" * 20, -3, "only 0 characters are left"),
        ("/", 128, "it holds no character that a tag could begin with"),
    ],
)
def test_sanitize_tag_without_room_reports_the_limit(text: str, longest: int, reason: str) -> None:
    with pytest.raises(InvalidTag) as caught:
        sanitize_tag(text, longest=longest)
    assert caught.value.reason.startswith(reason)


def test_sanitize_tag_of_bytes_that_are_not_text_is_stable() -> None:
    assert sanitize_tag("x" * 20 + "\udcff", longest=10) == sanitize_tag("x" * 20 + "\udcff", longest=10)
    assert len(sanitize_tag("x" * 12, longest=11)) == 11
    assert sanitize_tag("x" * 11, longest=11) == "x" * 11
