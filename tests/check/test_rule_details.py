"""What findings say, how severe they are, and which construct of which kind of file a rule applies to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgref.check.evaluate import evaluate
from imgref.check.finding import Finding
from imgref.check.patterns import ImagePattern
from imgref.check.policy import Policy
from imgref.check.rules import RULES, codes_of
from imgref.check.rules.pages import help_text
from imgref.check.rules.tags import is_exact
from imgref.errors import ImgrefError, InvalidReference
from imgref.sources.occurrence import Occurrence, Reading, Role


def occurrence(text: str, role: Role = "external", construct: str = "from", *, final: bool = False) -> Occurrence:
    return Occurrence(1, 1, text, text, role, construct, final=final)


def evaluated(one: Occurrence, policy: Policy, kind: str = "dockerfile") -> list[Finding]:
    return evaluate(Reading(kind, (one,)), policy, path="file", inside="file", text=one.text)


def only(code: str, **settings: tuple[ImagePattern, ...] | str) -> Policy:
    return replace(Policy(frozenset({code})), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "text", "hint"),
    [
        ("IMG101", "nginx", "write a version, such as nginx:<version>"),
        ("IMG102", "latest:latest", "write a version, such as latest:<version>"),
        ("IMG103", "nginx:1", "write a full version such as 1.2.3, or add the digest"),
        ("IMG104", "nginx", "add the digest, such as nginx:<version>@sha256:<digest>"),
        ("IMG104", "nginx:1", "add the digest, such as nginx:1@sha256:<digest>"),
        ("IMG203", "nginx:1", "write docker.io/library/nginx:1"),
        ("IMG203", "acme/app:1", "write docker.io/acme/app:1"),
        ("IMG105", "Acme/App:1", "did you mean acme/app:1?"),
    ],
)
def test_hint_of_a_finding_shows_what_to_write(code: str, text: str, hint: str) -> None:
    (finding,) = evaluated(occurrence(text), only(code))
    assert finding.hint == hint


def test_message_without_allowed_images_names_that() -> None:
    (finding,) = evaluated(occurrence("nginx:1"), only("IMG201", allowed=()))
    assert finding.message == "'nginx:1' is not allowed here; allowed: nothing"
    (finding,) = evaluated(occurrence("nginx:1", final=True), only("IMG301", golden=()))
    assert finding.hint == "build on one of nothing"


@pytest.mark.parametrize(("final", "stage"), [(True, "the final stage"), (False, "a stage")])
def test_message_of_an_image_that_is_not_golden_names_the_stage(final: bool, stage: str) -> None:
    golden = (ImagePattern("ghcr.io/acme/*"), ImagePattern("ghcr.io/other/*"))
    policy = only("IMG301", golden=golden, golden_scope="all")
    (finding,) = evaluated(occurrence("nginx:1", final=final), policy)
    assert finding.message.startswith(f"{stage} is built on 'nginx:1'")
    assert finding.hint == "build on one of ghcr.io/acme/*, ghcr.io/other/*"
    assert evaluated(occurrence("ghcr.io/other/nginx:1", final=final), policy) == []


def test_not_golden_in_another_kind_of_file_is_not_a_finding() -> None:
    one = occurrence("nginx:1", construct="services.image", final=True)
    assert evaluated(one, only("IMG301", golden=()), "compose") == []


@pytest.mark.parametrize(
    ("construct", "found"), [("copy-from", True), ("mount-from", True), ("from", False), ("services.image", False)]
)
def test_implicit_image_applies_where_a_stage_may_be_named(construct: str, found: bool) -> None:
    assert bool(evaluated(occurrence("stage2", construct=construct), only("IMG502"))) is found


def test_invalid_reference_explains_by_the_reader_before_the_grammar() -> None:
    error = InvalidReference("Acme/App", (0, 4), "uppercase", "acme/app")
    plain = occurrence("Acme/App", "invalid")
    invalid_reference = RULES["IMG105"].invalid
    assert invalid_reference is not None
    message, hint, _ = invalid_reference(plain, error)
    assert (message, hint) == ("'Acme/App' is not a valid image reference: uppercase", "did you mean acme/app?")
    message, hint, _ = invalid_reference(replace(plain, reason="no stage", hint="app"), error)
    assert (message, hint) == ("'Acme/App' is not a valid image reference: no stage", "did you mean app?")
    message, hint, _ = invalid_reference(plain, None)
    assert (message, hint) == ("'Acme/App' is not a valid image reference: it is not a valid reference", None)


def test_levels_of_rules_are_errors_where_builds_fail_or_trust_is_broken() -> None:
    errors = {"IMG105", "IMG201", "IMG301", "IMG401", "IMG501", "IMG503", "IMG602", "IMG901"}
    assert {code: rule.level for code, rule in RULES.items()} == {
        code: "error" if code in errors else "warning" for code in RULES
    }


@pytest.mark.parametrize("tag", ["10.20.30", "24.04.1", "v10.0.1", "sha-abcdef1", "git_0abcdef", "commit.abcdef12"])
def test_is_exact_of_versions_and_commits_is_true(tag: str) -> None:
    assert is_exact(tag)


@pytest.mark.parametrize("tag", ["1a2b3c4-dirty", "sha-1a2b3c4x", "a1b2c3", "10.20", "alpine.1.2", "2024-1301"])
def test_is_exact_of_what_may_move_is_false(tag: str) -> None:
    assert not is_exact(tag)


@pytest.mark.parametrize(("selector", "near"), [("img301", "IMG301"), ("IMG1O1", "IMG101"), ("IMG99", "IMG903")])
def test_codes_of_an_unknown_selector_names_the_nearest_code(selector: str, near: str) -> None:
    with pytest.raises(ImgrefError, match=f"did you mean '{near}'"):
        codes_of([selector])


def test_help_text_of_a_rule_has_what_it_finds_why_and_how_to_fix_it() -> None:
    page = RULES["IMG101"].page
    assert help_text(RULES["IMG101"]) == f"{page.what}\n\n{page.why}\n\n{page.fix}"
