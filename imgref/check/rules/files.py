"""IMG5xx and IMG9xx: what prevents a file from being checked."""

from __future__ import annotations

import re
from typing import Final

from imgref._printable import masked
from imgref.check.policy import Policy
from imgref.check.rules.rule import Example, Image, Page, Rule, Violation
from imgref.errors import quote
from imgref.sources.occurrence import Occurrence

__all__ = ["RULES"]

_STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII | re.IGNORECASE)


def _unresolved_arg(occurrence: Occurrence) -> Violation | None:
    """Report a FROM that cannot be checked, since a variable in it is empty or unknown."""
    if not occurrence.is_base:
        return None
    reason = "a variable in it has no value" if occurrence.reason is None else occurrence.reason
    return Violation(
        f"{quote(masked(occurrence.text, whole=True))} cannot be resolved: {reason}",
        "add a default to the ARG before the first FROM, or pass --build-arg NAME=VALUE",
    )


def _unresolved_image(occurrence: Occurrence) -> Violation | None:
    """Report an image that only something outside of the file decides."""
    if occurrence.is_base:
        return None
    reason = "its value is not in this file" if occurrence.reason is None else occurrence.reason
    return Violation(
        f"{quote(occurrence.text)} cannot be checked: {reason}",
        "write the image itself, or add a default for its variable in the file",
    )


def _implicit_image(image: Image, _: Policy) -> Violation | None:
    """Only a name that could be a stage is ambiguous: one with a ``/``, ``:`` or ``@`` is clearly an image."""
    if not image.occurrence.may_be_stage or not _STAGE_NAME.fullmatch(image.text):
        return None
    return Violation(
        f"{quote(image.text)} is not a stage of this file, so it is pulled as the image {image.ref}",
        "name a stage, or write the image with its tag",
    )


RULES: Final = (
    Rule(
        "IMG501",
        "unresolved-arg",
        "a FROM whose ARG leaves it empty or unknown",
        Page(
            what="Finds `FROM` lines with a variable that has no value: the `ARG` has no default, is inside a stage "
            "instead of before the first `FROM`, or is missing.",
            why="Such a file builds only with the right `--build-arg`, so the caller of the build decides the base "
            "image, and the file alone cannot be checked.",
            bad=Example("Dockerfile", "ARG VERSION\nFROM nginx:${VERSION}\n"),
            good=Example("Dockerfile", "ARG VERSION=1.27.3\nFROM nginx:${VERSION}\n"),
            fix="Add a default to the `ARG` before the first `FROM`. If the value must come from outside, run the "
            "check with the `--build-arg` of the build.",
            settings="None; `--build-arg NAME=VALUE` sets a variable.",
        ),
        unresolved=_unresolved_arg,
        level="error",
        enforced=True,
    ),
    Rule(
        "IMG502",
        "implicit-image",
        "`COPY --from=name` that is not a stage, so it is pulled as an image",
        Page(
            what="Finds `COPY --from=name`, and mounts with `from=name`, where a bare name is not a stage of the file. "
            "A name with a `/`, `:` or `@` is clearly an image, and is checked like any other.",
            why="A misspelled stage name is the name of an image on a public registry, where an attacker may have "
            "published exactly that name.",
            bad=Example("Dockerfile", "FROM golang:1.23.4 AS build\nFROM scratch\nCOPY --from=biuld /app /app\n"),
            good=Example("Dockerfile", "FROM golang:1.23.4 AS build\nFROM scratch\nCOPY --from=build /app /app\n"),
            fix="Correct the name. If you mean an image, write its tag or, better, add a stage for it with `FROM … "
            "AS`, so that all images of the file are in its `FROM` lines.",
            settings="None.",
        ),
        _implicit_image,
    ),
    Rule(
        "IMG503",
        "unresolved-image",
        "an image whose value imgref cannot determine",
        Page(
            what="Finds images in YAML files whose value imgref cannot determine: a variable without a default, an "
            "expression of a CI system, a block scalar, and what a template makes. In templates of Helm charts, other "
            "rules check literal images. In a Dockerfile, IMG501 reports the same.",
            why="No other rule can check such an image. If a policy must hold, an image in a variable would bypass it.",
            bad=Example(
                "compose.yaml",
                "services:\n  web:\n    image: nginx:${TAG}\n",
                '[check]\nextend-select = ["IMG503"]\n',
            ),
            good=Example(
                "compose.yaml",
                "services:\n  web:\n    image: nginx:${TAG:-1.27.3}\n",
                '[check]\nextend-select = ["IMG503"]\n',
            ),
            fix="Write the image itself, or add a default for the variable in the file. For the templates of a chart, "
            'check what `helm template` renders, and switch the rule off for the sources: `"**/templates/**" = '
            '["IMG503"]` in `per-file-ignores`.',
            settings='`extend-select = ["IMG503"]` turns it on. `imgref check --show-unresolved` lists the same images '
            "without failing.",
        ),
        unresolved=_unresolved_image,
        default=False,
        level="error",
        enforced=True,
    ),
    Rule(
        "IMG901",
        "unreadable",
        "a file that cannot be parsed",
        Page(
            what="Finds files, and single lines of Dockerfiles, that cannot be parsed. The rest of the file is still "
            "checked.",
            why="What cannot be parsed cannot be checked: without this finding it would pass unnoticed.",
            bad=Example("Dockerfile", "FROM nginx:1.27.3\nCOPPY a b\n"),
            good=Example("Dockerfile", "FROM nginx:1.27.3\nCOPY a b\n"),
            fix="Fix the line. If the file is not what its name suggests, add it to `exclude`.",
            settings="None; `--max-size` sets how large a file may be. If `select` omits this rule, a file that could "
            "not be read whole still makes the check exit with 2.",
        ),
        level="error",
        enforced=True,
    ),
    Rule(
        "IMG902",
        "unused-ignore",
        "an ignore comment that ignores nothing",
        Page(
            what="Finds ignore comments that ignore nothing: the finding is gone, the code does not exist, or the "
            "comment is in the wrong place.",
            why="An outdated comment hides the next finding of its kind.",
            bad=Example("Dockerfile", "# imgref: ignore[IMG102] until the new base is ready\nFROM nginx:1.27.3\n"),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n"),
            fix="Delete the comment.",
            settings="None.",
        ),
    ),
    Rule(
        "IMG903",
        "ignore-without-reason",
        "an ignore comment without a reason",
        Page(
            what="Finds ignore comments without a reason.",
            why="Without a reason, nobody knows whether a finding was accepted or only silenced, or when the comment "
            "can be removed.",
            bad=Example(
                "Dockerfile", "# imgref: ignore[IMG102]\nFROM nginx:latest\n", "[check]\nrequire-reason = true\n"
            ),
            good=Example(
                "Dockerfile",
                "# imgref: ignore[IMG102] until the new base is ready\nFROM nginx:latest\n",
                "[check]\nrequire-reason = true\n",
            ),
            fix="Write the reason after the brackets.",
            settings="`require-reason = true` turns it on. No comment can ignore this rule. With `--enforce`, ignore "
            "comments do not count at all, with or without a reason.",
        ),
        waits_for=("require_reason",),
    ),
)
