"""Tag plans: the measured scenarios through the library, and what the table cannot say."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Literal

import pytest
from tables import each
from vectors import rows

from imgref import ExistingTags, HeldTag, InvalidTag, InvalidVersion, TagPolicy, derive_tags, plan_tags, sanitize_tag


def policy_of(arguments: list[str]) -> TagPolicy:
    """Read a scenario's options: TagPolicy's fields have their names."""
    fields: dict[str, Any] = {}
    words = iter(arguments)
    for word in words:
        field = word.removeprefix("--").replace("-", "_")
        fields[field] = True if field in ("channels", "major_zero") else next(words)
    return TagPolicy(**fields)


@each("row", [*rows("tags.jsonl"), *rows("more_tags.jsonl")], ids=str)
def test_scenarios(row: dict[str, Any]) -> None:
    policy = policy_of(row["args"])
    if row.get("error"):
        with pytest.raises((InvalidVersion, InvalidTag)):
            derive_tags(row["version"], existing=row["existing"], policy=policy)
    else:
        plan = plan_tags(row["version"], existing=row["existing"], policy=policy)
        assert list(plan.tags) == row["tags"]
        assert row.get("held") in (None, {held.tag: held.because for held in plan.held})


def test_plan_without_existing_names_has_every_tag() -> None:
    assert derive_tags("2.1.3") == ("2.1.3", "2.1", "2", "latest")
    assert derive_tags("2.1.3", existing=[]) == derive_tags("2.1.3", existing=iter(()))


def test_held_tags_name_the_highest_version_as_its_source_spells_it() -> None:
    plan = plan_tags("app-2.1.3", existing=["app-v2.1.9", "app-v3.0.0", "app-v2.1.10"], policy=TagPolicy(prefix="app-"))
    assert plan.tags == ("2.1.3",)
    assert plan.held == (
        HeldTag("2.1", "app-v2.1.10"), HeldTag("2", "app-v2.1.10"), HeldTag("latest", "app-v3.0.0"),
    )  # fmt: skip


def test_a_version_is_named_rather_than_the_float_that_counts_as_it() -> None:
    assert plan_tags("1.0.0", existing=["2", "2.0.0", "2.0"]).held[-1] == HeldTag("latest", "2.0.0")


def test_what_each_source_knows_is_counted_on_the_lines_of_the_release() -> None:
    sources = [
        ExistingTags(("v1.0.0", "v1.0.0-alpine", "nightly"), "git", "git"),
        ExistingTags(("1.0.0-alpine", "1.0.0", "latest"), "registry x", "registry"),
        ExistingTags((), "empty.txt"),
    ]
    plan = plan_tags("1.1.0", existing=sources, policy=TagPolicy(suffix="alpine"))
    assert [(count.source, count.versions, count.names) for count in plan.existing] == [
        ("git", 2, 3), ("registry x", 1, 3), ("empty.txt", 0, 0),
    ]  # fmt: skip


@each(
    ("kind", "names", "held"),
    [
        ("git", ["app-2.0.0"], True), ("git", ["app-2.0.0-alpine"], True), ("git", ["2.0.0-alpine"], False),
        ("list", ["app-2.0.0-alpine"], True), ("list", ["app-2.0.0"], False), ("list", ["2.0.0-alpine"], False),
        ("registry", ["2.0.0-alpine"], True), ("registry", ["2.0.0"], False), ("registry", ["app-2.0.0-alpine"], False),
    ],
)  # fmt: skip
def test_prefix_and_suffix_are_asked_of_each_kind_of_source_in_its_way(
    kind: Literal["git", "list", "registry"], names: list[str], held: bool
) -> None:
    policy = TagPolicy(prefix="app-", suffix="alpine")
    plan = plan_tags("app-1.0.0", existing=[ExistingTags(tuple(names), "x", kind)], policy=policy)
    assert ("alpine" in plan.tags) is not held


def test_several_suffixes_plan_all_tags_of_one_and_then_of_the_next() -> None:
    plan = plan_tags("1.2.3", existing=["2.0.0-slim", "1.2.0"], policy=TagPolicy(suffix=("", "slim")))
    assert plan.tags == ("1.2.3", "1.2", "1", "latest", "1.2.3-slim", "1.2-slim", "1-slim")
    assert plan.held == (HeldTag("slim", "2.0.0-slim"),)


def test_plan_has_the_version_in_the_spelling_of_the_scheme() -> None:
    assert plan_tags("v1.2.3+b5").version == "1.2.3+b5"
    assert plan_tags("1.2.3-rc.1").prerelease
    assert plan_tags("1.2.3.RC1", policy=TagPolicy(scheme="pep440")).version == "1.2.3rc1"


def test_a_tag_that_would_be_too_long_is_an_error_and_not_cut() -> None:
    with pytest.raises(InvalidTag, match="2 more than a tag may have"):
        derive_tags("1.0.0-" + "a" * 124)
    with pytest.raises(InvalidTag):
        derive_tags("1.0.0", policy=TagPolicy(suffix="x" * 123))


@pytest.mark.parametrize("wrong", [{"scheme": "calver"}, {"v": "no"}, {"latest": "yes"}, {"build": "keep"}])
def test_a_policy_has_the_words_of_its_options(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is one of"):
        TagPolicy(**wrong)


@pytest.mark.parametrize(("suffix", "hint"), [("-alpine", "alpine"), ("a b", None), ("é", None), ("+x", None)])
def test_suffix_that_is_not_valid_in_a_tag_is_an_error(suffix: str, hint: str | None) -> None:
    with pytest.raises(InvalidTag) as caught:
        TagPolicy(suffix=suffix)
    assert caught.value.hint == hint


@each(
    ("text", "tag"),
    [
        ("main", "main"), ("feature/Login page", "feature-Login-page"), ("a//b", "a-b"), ("-.x", "x"), ("ä-ö x", "x"),
        ("x é", "x-"), ("_x", "_x"), ("x" * 128, "x" * 128),
        ("dependabot/npm_and_yarn/a-1.2", "dependabot-npm_and_yarn-a-1.2"),
    ],
)  # fmt: skip
def test_slug_of_any_string_is_a_tag(text: str, tag: str) -> None:
    assert sanitize_tag(text) == tag


@pytest.mark.parametrize("text", ["中文", "/日本語/", "ветка", "🎉", "é", "\u3000", "\x80"])
def test_slug_of_another_script_is_a_hash(text: str) -> None:
    digest = sha256(text.encode()).hexdigest()[:8]
    assert sanitize_tag(text) == sanitize_tag(text, longest=12) == f"ref-{digest}"
    with pytest.raises(InvalidTag, match="only 11 characters are left"):
        sanitize_tag(text, longest=11)


@pytest.mark.parametrize("text", ["\ud800", "\udfff\udcff", "x" * 200 + "\ud800"])
def test_text_that_is_not_valid_unicode_becomes_a_tag(text: str) -> None:
    assert sanitize_tag(text)[-9] == "-"


def test_long_texts_stay_apart() -> None:
    one, other = sanitize_tag("x" * 200), sanitize_tag("x" * 201)
    assert len(one) == len(other) == 128
    assert one[:120] == other[:120] == "x" * 119 + "-"
    assert one != other
    assert one[-8:] == "aa20c23e"


@pytest.mark.parametrize("longest", [0, 1, 9])
def test_a_tag_that_has_no_room_is_an_error(longest: int) -> None:
    assert len(sanitize_tag("x" * 20, longest=10)) == 10
    with pytest.raises(InvalidTag, match="characters are left"):
        sanitize_tag("x" * 20, longest=longest)


@each(
    "existing",
    [
        "2.2.0", b"2.2.0", [b"2.2.0"], [1, None], ["2.0.0", None], [["2.2.0"]], {"name": "acme/app", "tags": ["2.2.0"]},
        ExistingTags(("2.2.0",)), [ExistingTags("2.2.0")], [ExistingTags((None,), "git", "git")],  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_plan_tags_existing_other_than_a_list_of_names_raises_type_error(existing: list[str]) -> None:
    with pytest.raises(TypeError):
        plan_tags("1.2.3", existing=existing)


@pytest.mark.parametrize(
    ("version", "name", "policy", "tags"),
    [
        ("1.2.3", "v1.3.0", TagPolicy(v="keep"), ("1.2.3", "1.2")),
        ("2024.1.15", "2024.01.16", TagPolicy(scheme="numeric"), ("2024.1.15",)),
    ],
)
def test_plan_tags_git_tag_spelled_otherwise_holds_floating_tags(
    version: str, name: str, policy: TagPolicy, tags: tuple[str, ...]
) -> None:
    assert plan_tags(version, existing=[ExistingTags((name,), "git", "git")], policy=policy).tags == tags


def test_a_policy_is_a_value() -> None:
    assert TagPolicy(suffix="a") == TagPolicy(suffix=["a"]) == TagPolicy(suffix=("a",))
    assert len({TagPolicy(suffix=["a"]), TagPolicy(suffix="a")}) == 1
    assert TagPolicy(suffix=()) == TagPolicy()


def test_each_variant_without_a_version_is_reported() -> None:
    plan = plan_tags("1.2.3", existing=["1.2.0"], policy=TagPolicy(suffix=("", "alpine", "slim")))
    assert plan.existing[0].unknown == ("alpine", "slim")


@pytest.mark.parametrize("text", ["", "-", "..", "\n", "///"])
def test_nothing_left_is_an_error(text: str) -> None:
    with pytest.raises(InvalidTag):
        sanitize_tag(text)
