"""IMG2xx to IMG4xx: where an image comes from, and whether it is one of those that are trusted."""

from __future__ import annotations

from typing import Final

from imgref.check.patterns import ImagePattern
from imgref.check.policy import Policy
from imgref.check.rules.rule import Example, Image, Page, Rule, Verdict
from imgref.errors import quote
from imgref.hosts import HostPattern
from imgref.sources.occurrence import Declaration

__all__ = ["RULES"]


def _registry_not_allowed(image: Image, policy: Policy) -> Verdict | None:
    denied = next((pattern for pattern in policy.denied or () if pattern.matches(image.ref)), None)
    allowed = policy.allowed is None or any(pattern.matches(image.ref) for pattern in policy.allowed)
    if denied is None and allowed:
        return None
    reason = "is not allowed here" if denied is None else f"is denied by {quote(denied.text)}"
    listed = "" if policy.allowed is None else f"; allowed: {_listed(policy.allowed)}"
    return Verdict(f"{quote(image.text)} {reason}{listed}", f"it is pulled from {image.ref.repository}")


def _listed(patterns: tuple[ImagePattern, ...]) -> str:
    return ", ".join(pattern.text for pattern in patterns) or "nothing"


def _unqualified(image: Image, _: Policy) -> Verdict | None:
    if "registry" not in image.left_out:
        return None
    return Verdict(
        f"{quote(image.text)} does not say its registry: engines decide for themselves where to look",
        f"write {image.ref.registry}/{_with_path(image)}",
    )


def _with_path(image: Image) -> str:
    """Return the text as it is written, behind the account that Docker would put before it."""
    return image.text if "/" in image.text else f"{image.ref.account}/{image.text}"


def _not_golden(image: Image, policy: Policy) -> Verdict | None:
    if policy.golden is None or not image.occurrence.is_base:
        return None
    if not (image.occurrence.final or policy.golden_scope == "all"):
        return None
    if any(pattern.matches(image.ref) for pattern in policy.golden):
        return None
    stage = "the final stage" if image.occurrence.final else "a stage"
    return Verdict(
        f"{stage} is built on {quote(image.text)}, which is no golden image",
        f"build on one of {_listed(policy.golden)}",
    )


def _insecure_registry(image: Image, policy: Policy) -> Verdict | None:
    if not any(pattern.matches(image.ref.registry, image.ref.path) for pattern in policy.insecure):
        return None
    return Verdict(
        f"{quote(image.text)} comes from {image.ref.registry}, which is declared insecure: "
        "whoever stands in between can replace it",
        f"give {image.ref.registry} a certificate, and take it off the list of insecure registries",
    )


def _insecure_declaration(declaration: Declaration) -> Verdict | None:
    """Judge a registry that an engine's settings declare insecure; the machine itself may be."""
    if HostPattern(declaration.host).is_loopback:
        return None
    return Verdict(
        f"the registry {quote(declaration.host)} is declared insecure: it is spoken to without a checked certificate",
        "give it a certificate that the engine trusts, and take it off the list",
    )


_GOLDEN: Final = '[check]\ngolden = ["registry.local:5001/golden/*"]\n'
_ALLOWED: Final = '[check]\nallowed = ["official", "ghcr.io/acme/**"]\n'
_QUALIFIED: Final = '[check]\nextend-select = ["IMG203"]\n'

RULES: Final = (
    Rule(
        "IMG201",
        "registry-not-allowed",
        "outside `allowed`, or inside `denied`",
        Page(
            what="Finds images that are not in one of the repositories of `allowed`, or that are in one of `denied`. "
            "What a reference means is compared, not how it is written.",
            why="Anybody can push to a public registry, and names that look alike are used to slip images in. A list "
            "of places that are trusted, such as Docker's official images and a company's own registry, keeps the "
            "rest out.",
            bad=Example("Dockerfile", "FROM somebody/nginx:1.27.3\n", _ALLOWED),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n", _ALLOWED),
            fix="Use an image from a place that is allowed, or have the place added to the list.",
            settings="On if `allowed` or `denied` is set. In their patterns `*` stays within a path component and `**` "
            "does not; `official` is `docker.io/library/*`; a host alone is everything on it.",
        ),
        _registry_not_allowed,
        waits_for=("allowed", "denied"),
        level="error",
    ),
    Rule(
        "IMG203",
        "unqualified",
        "no registry written out",
        Page(
            what="Finds references that do not say their registry.",
            why="Docker takes `docker.io`. Podman and others go through a list in their settings, and may take the "
            "first registry that has such a name: another image than the one that was meant.",
            bad=Example("Dockerfile", "FROM nginx:1.27.3\n", _QUALIFIED),
            good=Example("Dockerfile", "FROM docker.io/library/nginx:1.27.3\n", _QUALIFIED),
            fix="Write the registry, and on `docker.io` the account too.",
            settings='Off by default: `extend-select = ["IMG203"]` turns it on.',
        ),
        _unqualified,
        default=False,
    ),
    Rule(
        "IMG301",
        "not-golden",
        "a final stage that is not built on a golden image",
        Page(
            what="Finds Dockerfiles whose final stage is not built on a golden image. A stage that is built on an "
            "earlier one is followed to where that begins; `FROM scratch` is let pass.",
            why="Golden images are those that a company builds itself from images that it trusts, and keeps in its own "
            "registry: with its certificates, its fixes, and nothing that it does not know. They help only if "
            "everything is built on them.",
            bad=Example("Dockerfile", "FROM openjdk:21.0.2\n", _GOLDEN),
            good=Example("Dockerfile", "FROM registry.local:5001/golden/openjdk:21.0.2\n", _GOLDEN),
            fix="Build on the golden image of the same kind. Where there is none yet, an exception with a reason and "
            "a day on which it ends keeps the case in sight.",
            settings='On if `golden` is set: patterns, as for IMG201. `golden-scope = "all"` holds every stage to it, '
            'not only the final one (`"final"`, the default).',
        ),
        _not_golden,
        waits_for=("golden",),
        level="error",
    ),
    Rule(
        "IMG401",
        "insecure-registry",
        "an image from a registry that is declared insecure, or the setting that declares one",
        Page(
            what="Finds registries that an engine's settings (`daemon.json`, `registries.conf`) declare insecure, "
            "and images from these and from those of `insecure-registries`. Settings for this machine itself "
            "(`localhost`, 127.0.0.0/8, ::1) are let pass.",
            why="From an insecure registry images come without encryption, or with a certificate that nobody has "
            "checked. Whoever can reach the network can put another image in place of the one that was asked for.",
            bad=Example("daemon.json", '{"insecure-registries": ["registry.local:5001"]}\n'),
            good=Example("daemon.json", '{"insecure-registries": []}\n'),
            fix="Give the registry a certificate. One of a company's own authority will do: it is put beside the "
            "engine's settings, in `certs.d`.",
            settings="`insecure-registries`: hosts with their port, such as `registry.local:5001`. It is for this rule "
            "alone, and does not change how any command of imgref speaks to a registry.",
        ),
        _insecure_registry,
        declaration=_insecure_declaration,
        level="error",
    ),
)
