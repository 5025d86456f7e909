"""IMG1xx: does the text say which image is meant, and is it a reference at all?"""

from __future__ import annotations

import re
from typing import Final

from imgref.check.policy import Policy
from imgref.check.rules.rule import Example, Image, Page, Rule, Verdict
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
    """Return whether a tag looks like one that is given once: a full version, a day, or a commit.

    >>> [tag for tag in ("1", "1.2", "1.2.3", "stable", "1.2.3-alpine", "jammy-20240111") if is_exact(tag)]
    ['1.2.3', '1.2.3-alpine', 'jammy-20240111']
    """
    return _EXACT.search(tag) is not None


def _implicit_latest(image: Image, _: Policy) -> Verdict | None:
    if "tag" not in image.left_out:
        return None
    return Verdict(
        f"{quote(image.text)} has neither tag nor digest, and so means whatever 'latest' is that day",
        f"say which version is meant, as {image.text}:<version>",
    )


def _latest_tag(image: Image, _: Policy) -> Verdict | None:
    if image.ref.tag != "latest" or image.ref.digest is not None or "tag" in image.left_out:
        return None
    return Verdict(
        f"{quote(image.text)} moves: 'latest' is whatever was pushed last",
        f"say which version is meant, as {_without_tag(image)}:<version>",
    )


def _floating_tag(image: Image, policy: Policy) -> Verdict | None:
    tag = image.ref.tag
    if tag is None or image.ref.digest is not None or "tag" in image.left_out or is_exact(tag):
        return None
    if tag == "latest" and "IMG102" in policy.enabled:
        return None
    return Verdict(
        f"the tag {quote(tag)} of {quote(image.text)} is no exact version, and moves with every release",
        "write a full version such as 1.2.3, or add the digest",
    )


def _unpinned(image: Image, _: Policy) -> Verdict | None:
    if image.ref.digest is not None:
        return None
    tagged = f"{image.text}:<version>" if "tag" in image.left_out else image.text
    return Verdict(
        f"{quote(image.text)} has no digest, so what it names can be replaced",
        f"add the digest, as {tagged}@sha256:<digest>",
    )


def _without_tag(image: Image) -> str:
    return image.text.removesuffix(f":{image.ref.tag}")


def _invalid_reference(occurrence: Occurrence, error: InvalidReference | None) -> Verdict:
    """Report why a value is not a reference, by the rules of its file or those of references."""
    shown = occurrence.text if error is None else error.shown()[0]
    reason = occurrence.reason
    if reason is None:
        reason = "it is no reference" if error is None else error.reason
    hint = occurrence.hint if occurrence.hint is not None or error is None else error.hint
    meant = None if hint is None else f"did you mean {hint}?"
    return Verdict(f"{quote(shown)} is no image reference: {reason}", meant, shown)


_DIGEST = "sha256:" + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

RULES: Final = (
    Rule(
        "IMG101",
        "implicit-latest",
        "neither tag nor digest",
        Page(
            what="Finds image references that have neither a tag nor a digest.",
            why="Without a tag an engine takes `latest`, and `latest` is a name like any other: whoever publishes the "
            "image moves it at will. Two builds of the same commit are then built on different images, and nothing "
            "in the repository tells which one was used.",
            bad=Example("Dockerfile", "FROM nginx\n"),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n"),
            fix="Write the tag of the version that you have tested. To keep it up to date, let a bot change the file, "
            "so that every move is a commit.",
            settings="None.",
        ),
        _implicit_latest,
    ),
    Rule(
        "IMG102",
        "latest-tag",
        "the tag `latest`",
        Page(
            what="Finds references with the tag `latest`. One that has a digest too is let pass: the digest decides.",
            why="`latest` does not mean the newest version, or a stable one: it is what was pushed under that name "
            "last. A build that worked yesterday can fail today, and a roll-back gets no old image back.",
            bad=Example("compose.yaml", "services:\n  web:\n    image: nginx:latest\n"),
            good=Example("compose.yaml", "services:\n  web:\n    image: nginx:1.27.3\n"),
            fix="Write the tag of a version. `imgref ls` shows which there are.",
            settings="None.",
        ),
        _latest_tag,
    ),
    Rule(
        "IMG103",
        "floating-tag",
        "a tag that is no exact version",
        Page(
            what="Finds tags that are no exact version: `1`, `1.2`, `stable`, `edge`. Exact are three numbers or "
            "more, as in `1.2.3` or `1.2.3-alpine`; a day, as in `jammy-20240111`; and a commit, as in `sha-1a2b3c4`. "
            "`latest` is left to IMG102 where that is on.",
            why="A tag such as `1.2` moves to each new patch. That may be wanted, for it brings fixes by itself; but "
            "then what runs is not told by the repository, and two machines may run different images.",
            bad=Example("Dockerfile", "FROM nginx:1.27\n", '[check]\nextend-select = ["IMG103"]\n'),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n", '[check]\nextend-select = ["IMG103"]\n'),
            fix="Write the full version, or add the digest behind the tag.",
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
            why="Any tag can be pushed again, also that of an exact version: by a publisher who mends a release, or "
            "by somebody who has got hold of the account. Only a digest names the content itself.",
            bad=Example("Dockerfile", "FROM nginx:1.27.3\n", '[check]\nextend-select = ["IMG104"]\n'),
            good=Example("Dockerfile", f"FROM nginx:1.27.3@{_DIGEST}\n", '[check]\nextend-select = ["IMG104"]\n'),
            fix="Add the digest behind the tag, which stays for people to read. `imgref digest` tells it.",
            settings='Off by default: `extend-select = ["IMG104"]` turns it on.',
        ),
        _unpinned,
        default=False,
    ),
    Rule(
        "IMG105",
        "invalid-reference",
        "a text that is no reference",
        Page(
            what="Finds texts that stand where an image belongs but are no reference. The message says which rule "
            "they break and, where that can be told, what was meant; it is what `imgref parse` says of the text.",
            why="The engine will refuse it, but not before the build or the deployment has come that far.",
            bad=Example("Dockerfile", "FROM Acme/App:1.2.3\n"),
            good=Example("Dockerfile", "FROM acme/app:1.2.3\n"),
            fix="Write what the hint says, if that is what was meant.",
            settings="None.",
        ),
        invalid=_invalid_reference,
        level="error",
    ),
)
