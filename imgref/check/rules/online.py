"""IMG6xx: whether a registry still has what the file refers to. Reported with ``--online`` only."""

from __future__ import annotations

from typing import Final

from imgref.check.rules.rule import Answer, Example, Image, Page, Rule, Violation
from imgref.errors import quote

__all__ = ["RULES"]

_DIGEST: Final = "sha256:4c0fdaa8b6341bfdeca5f18f7837462c80cff90527ee35ef185571e1c327beac"
_ASKED: Final = (
    "Runs with `--online` only. Registries are reached as by every other command: with your credentials, the "
    "configured mirrors, `--insecure` and `--cacert`."
)


def _drift(image: Image, answer: Answer) -> Violation | None:
    if answer.moved is None:
        return None
    return Violation(
        f"{quote(image.text)} is pinned to an old image: {image.ref.tag!r} now points to {answer.moved}",
        "check what changed, and run imgref pin --refresh",
    )


def _missing(image: Image, answer: Answer) -> Violation | None:
    if answer.missing is None:
        return None
    return Violation(f"{quote(image.text)} cannot be pulled: {answer.missing}", "use an image that exists")


def _outdated(image: Image, answer: Answer) -> Violation | None:
    if answer.newer is None:
        return None
    return Violation(f"{quote(image.text)} is outdated: {answer.newer} is available", "run imgref update")


def _platform(image: Image, answer: Answer) -> Violation | None:
    if not answer.one_platform:
        return None
    return Violation(
        f"{quote(image.text)} is pinned to the image of one platform, not to the index of {image.ref.tag!r}",
        "pin the digest of the index, which imgref digest prints without --platform",
    )


RULES: Final = (
    Rule(
        "IMG601",
        "pin-drift",
        "a digest that its tag no longer points to",
        Page(
            what="Finds references with a tag and a digest where the tag has been moved to another image.",
            why="The digest decides what is pulled, so the file says one version and runs another: fixes that were "
            "published under the tag since do not arrive.",
            bad=Example("Dockerfile", f"FROM nginx:1.27@{_DIGEST}\n"),
            good=Example("Dockerfile", "FROM nginx:1.27\n"),
            fix="Run `imgref pin --refresh`, which writes the digest that the tag points to now. If the old image is "
            "wanted, say so with `# imgref: keep REASON`.",
            settings=_ASKED,
        ),
        online=_drift,
        default=False,
    ),
    Rule(
        "IMG602",
        "not-found",
        "an image that does not exist",
        Page(
            what="Finds references whose repository, tag or digest does not exist on the registry.",
            why="The next build or deployment that has to pull the image fails. A tag that is gone but pinned can "
            "still be pulled, until the registry deletes the image too.",
            bad=Example("Dockerfile", "FROM nginx:1.27.33\n"),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n"),
            fix="Correct the name, or move to a tag that exists; `imgref ls` prints them.",
            settings=f"{_ASKED} A registry that does not say whether the image exists, as one that requires "
            "authentication, is an error, and the check exits with 3.",
        ),
        online=_missing,
        default=False,
        level="error",
    ),
    Rule(
        "IMG603",
        "outdated",
        "a tag for which the policy allows a newer one",
        Page(
            what="Finds tags for which the registry has a newer version, as `imgref outdated` does.",
            why="Old images miss fixes, and the longer an update waits, the more it changes at once.",
            bad=Example("Dockerfile", "FROM nginx:1.25.3\n"),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n"),
            fix="Run `imgref update`. If the old version is wanted, say so with `# imgref: keep REASON`, or limit what "
            "is allowed in the settings.",
            settings=f"The section `[update]`: `to`, `min-age` and `[[update.images]]`. {_ASKED}",
        ),
        online=_outdated,
        default=False,
    ),
    Rule(
        "IMG604",
        "platform-pin",
        "a digest of one platform where the tag points to an index",
        Page(
            what="Finds references with a tag and a digest where the digest is that of the image for one platform, "
            "while the tag points to an index for several.",
            why="On every other platform the image cannot run, or runs under emulation.",
            bad=Example("Dockerfile", f"FROM nginx:1.27.3@{_DIGEST}\n"),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n"),
            fix="Run `imgref pin --refresh`, which writes the digest of the index.",
            settings=f"{_ASKED} A reference with only a digest is not compared with anything.",
        ),
        online=_platform,
        default=False,
    ),
)
