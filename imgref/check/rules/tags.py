"""IMG1xx: whether a reference is valid and unambiguous."""

from __future__ import annotations

import re
from typing import Final

from imgref.check.policy import Policy
from imgref.check.rules.rule import Example, Image, Page, Rule, Violation
from imgref.errors import InvalidReference, quote
from imgref.sources.occurrence import Occurrence

__all__ = ["RULES", "is_exact"]

_EXACT: Final = re.compile(
    r"""
    [0-9]++ (?: [._] [0-9]++ ){2,}                    # three numbers: 1.2.3, v1.2.3-rc.1, alpine_3.19.1
    | (?<![0-9]) (?:19|20)[0-9]{2} (-?)               # a day: 20240131, RELEASE.2024-01-31T01-02-03Z
      (?:0[1-9]|1[0-2]) \1 (?:0[1-9]|[12][0-9]|3[01]) (?![0-9])
    | \A (?: (?:git|sha|commit) [-_.] )? (?=[0-9a-f]*[0-9]) [0-9a-f]{7,64} \Z   # a commit: sha-1a2b3c4
    """,
    re.ASCII | re.VERBOSE,
)


def is_exact(tag: str) -> bool:
    """Return whether a tag looks like one that never moves: a full version, a day, or a commit.

    >>> [tag for tag in ("1", "1.2", "1.2.3", "stable", "1.2.3-alpine", "jammy-20240111") if is_exact(tag)]
    ['1.2.3', '1.2.3-alpine', 'jammy-20240111']
    """
    return _EXACT.search(tag) is not None


def _implicit_latest(image: Image, _: Policy) -> Violation | None:
    if "tag" not in image.left_out:
        return None
    return Violation(
        f"{quote(image.text)} has neither a tag nor a digest, so it means 'latest'",
        f"write a version, such as {image.text}:<version>",
    )


def _latest_tag(image: Image, _: Policy) -> Violation | None:
    if image.ref.tag != "latest" or image.ref.digest is not None or "tag" in image.left_out:
        return None
    return Violation(
        f"{quote(image.text)} is not a fixed version: 'latest' moves with every push",
        f"write a version, such as {_without_tag(image)}:<version>",
    )


def _floating_tag(image: Image, policy: Policy) -> Violation | None:
    tag = image.ref.tag
    if tag is None or image.ref.digest is not None or "tag" in image.left_out or is_exact(tag):
        return None
    if tag == "latest" and "IMG102" in policy.enabled:
        return None
    return Violation(
        f"the tag {quote(tag)} of {quote(image.text)} is not an exact version: it moves with new releases",
        "write a full version such as 1.2.3, or add the digest",
    )


def _unpinned(image: Image, _: Policy) -> Violation | None:
    if image.ref.digest is not None:
        return None
    tagged = f"{image.text}:<version>" if "tag" in image.left_out else image.text
    return Violation(
        f"{quote(image.text)} has no digest, so the image behind it can change",
        f"add the digest, such as {tagged}@sha256:<digest>",
    )


def _without_tag(image: Image) -> str:
    return image.text.removesuffix(f":{image.ref.tag}")


def _invalid_reference(occurrence: Occurrence, error: InvalidReference | None) -> Violation:
    """Report why a value is not a reference, by the rules of its file or those of references."""
    shown = occurrence.text if error is None else error.shown()[0]
    reason = occurrence.reason
    if reason is None:
        reason = "it is not a valid reference" if error is None else error.reason
    hint = occurrence.hint if occurrence.hint is not None or error is None else error.hint
    meant = None if hint is None else f"did you mean {hint}?"
    return Violation(f"{quote(shown)} is not a valid image reference: {reason}", meant, shown)


_DIGEST = "sha256:" + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

RULES: Final = (
    Rule(
        "IMG101",
        "implicit-latest",
        "neither tag nor digest",
        Page(
            what="Finds image references that have neither a tag nor a digest.",
            why="Without a tag, Docker pulls `latest`. The publisher of the image can move that tag at any time, so "
            "two builds of the same commit can be built on different images, and nothing in the repository shows "
            "which image was used.",
            bad=Example("Dockerfile", "FROM nginx\n"),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n"),
            fix="Write the tag of the version that you have tested. `imgref update` changes it to a newer version, so "
            "that each change is a commit.",
            settings="None.",
        ),
        _implicit_latest,
    ),
    Rule(
        "IMG102",
        "latest-tag",
        "the tag `latest`",
        Page(
            what="Finds references with the tag `latest`. References that also have a digest pass, because the digest "
            "decides.",
            why="`latest` means neither the newest version nor a stable one: it is whatever was pushed with that tag "
            "last. A build that worked yesterday can fail today, and a rollback does not restore the old image.",
            bad=Example("compose.yaml", "services:\n  web:\n    image: nginx:latest\n"),
            good=Example("compose.yaml", "services:\n  web:\n    image: nginx:1.27.3\n"),
            fix="Write the tag of a version. `imgref ls` lists the tags of a repository.",
            settings="None.",
        ),
        _latest_tag,
    ),
    Rule(
        "IMG103",
        "floating-tag",
        "a tag that is not an exact version",
        Page(
            what="Finds tags that are not exact versions: `1`, `1.2`, `stable`, `edge`. A tag is exact if it has "
            "three or more numbers, as `1.2.3` or `1.2.3-alpine`, a day, as `jammy-20240111`, or a commit, as "
            "`sha-1a2b3c4`. IMG102 reports `latest`, if that rule is on.",
            why="A tag such as `1.2` moves to each new patch release. That brings fixes without a change to the file, "
            "but the repository does not show what runs, and two machines may run different images.",
            bad=Example("Dockerfile", "FROM nginx:1.27\n", '[check]\nextend-select = ["IMG103"]\n'),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n", '[check]\nextend-select = ["IMG103"]\n'),
            fix="Write the full version, or add the digest after the tag.",
            settings='Off by default: `extend-select = ["IMG103"]` turns it on.',
        ),
        _floating_tag,
        default=False,
    ),
    Rule(
        "IMG104",
        "unpinned",
        "no digest",
        Page(
            what="Finds references without a digest.",
            why="Any tag can be pushed again, even that of an exact version: by a publisher who fixes a release, or "
            "by an attacker who controls the publisher's account. Only a digest identifies the content.",
            bad=Example("Dockerfile", "FROM nginx:1.27.3\n", '[check]\nextend-select = ["IMG104"]\n'),
            good=Example("Dockerfile", f"FROM nginx:1.27.3@{_DIGEST}\n", '[check]\nextend-select = ["IMG104"]\n'),
            fix="Run `imgref pin`, or add the digest after the tag. `imgref digest` prints it.",
            settings='Off by default: `extend-select = ["IMG104"]` turns it on.',
        ),
        _unpinned,
        default=False,
    ),
    Rule(
        "IMG105",
        "invalid-reference",
        "a value that is not a valid reference",
        Page(
            what="Finds values that should be an image but are not valid references. The message has the reason and, "
            "if imgref can determine it, the reference that was probably meant, as `imgref parse` reports them.",
            why="The build or the deployment fails, but only when it pulls the image.",
            bad=Example("Dockerfile", "FROM Acme/App:1.2.3\n"),
            good=Example("Dockerfile", "FROM acme/app:1.2.3\n"),
            fix="Write the reference from the hint, if that is what you mean.",
            settings="None.",
        ),
        invalid=_invalid_reference,
        level="error",
    ),
)
