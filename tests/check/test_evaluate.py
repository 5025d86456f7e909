from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tables import each

from imgref.check.evaluate import evaluate
from imgref.check.finding import Finding
from imgref.check.patterns import ImagePattern, PathPatterns
from imgref.check.policy import Exemption, Policy
from imgref.check.rules import codes_of, default_codes
from imgref.hosts import HostPattern
from imgref.sources.occurrence import Comment, Declaration, Occurrence, Problem, Reading, Role

EVERY = Policy(enabled=codes_of(["ALL"]))
DIGEST = "@sha256:" + 64 * "0"


def occurrence(text: str, role: Role = "external", construct: str = "from", *, final: bool = False) -> Occurrence:
    return Occurrence(2, 6, text, None if role == "unresolved" else text, role, construct, final=final)


def evaluated(
    *occurrences: Occurrence, policy: Policy = EVERY, kind: str = "dockerfile", **more: tuple[object, ...]
) -> list[Finding]:
    reading = Reading(kind, occurrences, **more)  # type: ignore[arg-type]
    return evaluate(reading, policy, path="a/file", inside="a/file", text="# x\nFROM x\nx")


def codes(*occurrences: Occurrence, policy: Policy = EVERY, kind: str = "dockerfile") -> list[str]:
    return [finding.code for finding in evaluated(*occurrences, policy=policy, kind=kind)]


@each(
    ("text", "expected"),
    [
        ("nginx", ["IMG101", "IMG104", "IMG203"]),
        ("nginx:latest", ["IMG102", "IMG104", "IMG203"]),
        ("docker.io/library/nginx:1.27.3" + DIGEST, []),
        ("docker.io/library/nginx:latest" + DIGEST, []),
        ("docker.io/library/nginx:1" + DIGEST, []),
        ("docker.io/library/nginx" + DIGEST, []),
        ("docker.io/library/nginx:1.27", ["IMG103", "IMG104"]),
        ("localhost/nginx:1.27.3", ["IMG104"]),
        ("Nginx:1", ["IMG105"]),
        ("", ["IMG105"]),
    ],
)
def test_marks_of_strings(text: str, expected: list[str]) -> None:
    assert codes(occurrence(text)) == expected


def test_a_tag_that_comes_from_elsewhere_is_not_missed() -> None:
    chart = replace(occurrence("docker.io/library/nginx"), reason="its tag is left to the chart's appVersion")
    assert codes(chart, kind="helm-values") == ["IMG104"]


@pytest.mark.parametrize("role", ["stage", "scratch", "built-here"])
def test_what_is_not_pulled_is_not_checked(role: Role) -> None:
    golden = replace(EVERY, golden=(), golden_scope="all", allowed=())
    assert codes(occurrence("nginx", role, final=True), policy=golden) == []


def test_finding_spans_the_reference_as_written() -> None:
    (finding,) = evaluated(replace(occurrence("x"), text='"$IMAGE"', resolved="nginx"), policy=Policy(default_codes()))
    assert finding == Finding(
        "a/file",
        2,
        6,
        14,
        "IMG101",
        "'nginx' has neither a tag nor a digest, so it means 'latest'",
        "write a version, such as nginx:<version>",
        '"$IMAGE"',
    )


def test_invalid_reference_is_explained_by_its_reader_first() -> None:
    (finding,) = evaluated(replace(occurrence("Builder", "invalid"), reason="no stage", hint="builder"))
    assert finding.message == "'Builder' is not a valid image reference: no stage"
    assert finding.hint == "did you mean builder?"
    (finding,) = evaluated(replace(occurrence("nginx", "invalid"), reason="it is a number"))
    assert finding.message == "'nginx' is not a valid image reference: it is a number"


def test_credentials_are_not_repeated() -> None:
    (finding,) = evaluated(occurrence("me:secret@ghcr.io/acme/app:1"))
    assert finding.code == "IMG105"
    assert "secret" not in repr(finding)


def test_unresolved_images_are_findings_of_the_rule_for_their_construct() -> None:
    unresolved = replace(occurrence("$X", "unresolved"), reason="ARG X has no default")
    (finding,) = evaluated(unresolved)
    assert (finding.code, finding.message) == ("IMG501", "'$X' cannot be resolved: ARG X has no default")
    (finding,) = evaluated(replace(unresolved, construct="services.image"), kind="compose")
    assert (finding.code, finding.message) == ("IMG503", "'$X' cannot be checked: ARG X has no default")


def patterns(*texts: str) -> tuple[ImagePattern, ...]:
    return tuple(map(ImagePattern, texts))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx:1", []),
        ("ghcr.io/acme/team/app:1", []),
        ("ghcr.io/acmeevil/app:1", ["IMG201"]),
        ("ghcr.io/acme/bad/app:1", ["IMG201"]),
        ("quay.io/x:1", ["IMG201"]),
    ],
)
def test_where_images_may_come_from(text: str, expected: list[str]) -> None:
    policy = Policy(
        frozenset({"IMG201"}), patterns("official", "ghcr.io/acme/**"), denied=patterns("ghcr.io/acme/bad/*")
    )
    findings = evaluated(occurrence(text), policy=policy)
    assert [finding.code for finding in findings] == expected
    assert all("allowed: official, ghcr.io/acme/**" in finding.message for finding in findings)


def test_denied_alone() -> None:
    policy = Policy(frozenset({"IMG201"}), denied=patterns("docker.io/evil/*"))
    (finding,) = evaluated(occurrence("evil/app:1"), occurrence("nginx:1"), policy=policy)
    assert finding.message == "'evil/app:1' is denied by 'docker.io/evil/*'"


@pytest.mark.parametrize(
    ("scope", "construct", "final", "text", "found"),
    [
        ("final", "from", True, "openjdk:21", True),
        ("final", "from", True, "registry.local:5001/golden/openjdk:21", False),
        ("final", "from", False, "openjdk:21", False),
        ("all", "from", False, "openjdk:21", True),
        ("all", "copy-from", False, "openjdk:21", False),
        ("all", "syntax", False, "docker/dockerfile:1", False),
    ],
)
def test_golden_images(scope: str, construct: str, final: bool, text: str, found: bool) -> None:
    policy = Policy(frozenset({"IMG301"}), golden=patterns("registry.local:5001/golden/*"), golden_scope=scope)
    assert codes(occurrence(text, construct=construct, final=final), policy=policy) == ["IMG301"] * found


def test_latest_is_a_floating_tag_by_default() -> None:
    assert codes(occurrence("nginx:latest"), policy=Policy(frozenset({"IMG103"}))) == ["IMG103"]
    assert codes(occurrence("nginx"), policy=Policy(frozenset({"IMG103"}))) == []


def test_only_dockerfiles_have_a_base() -> None:
    policy = Policy(frozenset({"IMG301"}), golden=())
    assert codes(occurrence("openjdk:21", construct="services.image"), policy=policy, kind="compose") == []


def test_insecure_registries() -> None:
    policy = Policy(default_codes(), insecure=(HostPattern("registry.local:5001"),))
    assert codes(occurrence("registry.local:5001/a:1"), occurrence("registry.local/a:1"), policy=policy) == ["IMG401"]


def test_declarations_of_insecure_registries() -> None:
    declared = (Declaration(1, 5, "registry.local:5001"), Declaration(2, 5, "127.0.0.0/8"))
    (finding,) = evaluated(kind="daemon.json", declarations=declared)
    assert (finding.code, finding.line, finding.column, finding.end_column) == ("IMG401", 1, 5, 24)


@pytest.mark.parametrize(
    ("text", "construct", "found"),
    [
        ("biuld", "copy-from", True),
        ("BIULD", "copy-from", False),
        ("nginx", "mount-from", True),
        ("acme/tools", "copy-from", False),
        ("nginx:1", "copy-from", False),
        ("nginx" + DIGEST, "copy-from", False),
        ("nginx", "from", False),
        ("nginx", "syntax", False),
    ],
)
def test_names_that_could_be_stages(text: str, construct: str, found: bool) -> None:
    policy = Policy(frozenset({"IMG502"}))
    assert codes(occurrence(text, construct=construct), policy=policy) == ["IMG502"] * found


def test_what_a_reader_could_not_read() -> None:
    findings = evaluated(policy=Policy(default_codes()), problems=(Problem(3, 2, "IMG901", "no such word", 5, "COPY"),))
    assert findings == [Finding("a/file", 3, 2, 5, "IMG901", "no such word", "COPY")]


def test_exceptions_and_their_end() -> None:
    entry = Exemption(ImagePattern("busybox"), frozenset({"IMG101"}), "debug sidecar", date(2027, 6, 30), "x:1")
    policy = replace(Policy(default_codes()), exceptions=(entry,), today=date(2027, 6, 30))
    assert codes(occurrence("busybox"), policy=policy) == []
    assert codes(occurrence("busybox:latest"), policy=policy) == ["IMG102"]
    (finding,) = evaluated(occurrence("busybox"), policy=replace(policy, today=date(2027, 7, 1)))
    assert finding.message.endswith("; the exception for it (debug sidecar) expired on 2027-06-30")
    forever = replace(entry, expires=None)
    both = replace(policy, exceptions=(entry, forever), today=date(2027, 7, 1))
    assert codes(occurrence("busybox"), policy=both) == []


def test_files_in_which_a_rule_is_not_reported() -> None:
    policy = replace(Policy(default_codes()), per_file_ignores=((PathPatterns("a/**"), frozenset({"IMG101"})),))
    assert codes(occurrence("nginx"), occurrence("nginx:latest"), policy=policy) == ["IMG102"]


@pytest.mark.parametrize("by", ["exception", "per-file-ignores"])
def test_a_comment_is_of_use_also_where_the_policy_lets_pass_anyway(by: str) -> None:
    entry = Exemption(ImagePattern("nginx"), frozenset({"IMG101"}), None, None, "x:1")
    ignores = ((PathPatterns("a/**"), frozenset({"IMG101"})),)
    policy = Policy(default_codes(), exceptions=(entry,))
    if by == "per-file-ignores":
        policy = Policy(default_codes(), per_file_ignores=ignores)
    comment = Comment(1, 1, "ignore[IMG101]", trailing=False)
    assert evaluated(occurrence("nginx"), policy=policy, comments=(comment,)) == []


def test_findings_are_in_the_order_of_their_positions() -> None:
    places = [(3, 1), (2, 9), (2, 1)]
    found = evaluated(
        *(replace(occurrence("nginx"), line=line, column=column) for line, column in places), policy=EVERY
    )
    assert [(finding.line, finding.column, finding.code) for finding in found] == sorted(
        (finding.line, finding.column, finding.code) for finding in found
    )
