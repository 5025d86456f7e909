"""IMG2xx to IMG4xx: where an image comes from, and whether it is one of those that are trusted."""

from __future__ import annotations

from typing import Final

from imgref.check.patterns import ImagePattern
from imgref.check.policy import Policy
from imgref.check.rules.rule import Example, Image, Page, Rule, Violation
from imgref.errors import quote
from imgref.hosts import HostPattern
from imgref.sources.occurrence import Declaration

__all__ = ["RULES"]


def _registry_not_allowed(image: Image, policy: Policy) -> Violation | None:
    denied = next((pattern for pattern in policy.denied or () if pattern.matches(image.ref)), None)
    allowed = policy.allowed is None or any(pattern.matches(image.ref) for pattern in policy.allowed)
    if denied is None and allowed:
        return None
    reason = "is not allowed here" if denied is None else f"is denied by {quote(denied.text)}"
    listed = "" if policy.allowed is None else f"; allowed: {_listed(policy.allowed)}"
    return Violation(f"{quote(image.text)} {reason}{listed}", f"it is pulled from {image.ref.repository}")


def _listed(patterns: tuple[ImagePattern, ...]) -> str:
    return ", ".join(pattern.text for pattern in patterns) or "nothing"


def _unqualified(image: Image, _: Policy) -> Violation | None:
    if "registry" not in image.left_out:
        return None
    return Violation(
        f"{quote(image.text)} has no registry: each container engine decides where to look for it",
        f"write {image.ref.registry}/{_with_path(image)}",
    )


def _with_path(image: Image) -> str:
    """Return the reference as written, with the namespace that Docker would add."""
    return image.text if "/" in image.text else f"{image.ref.account}/{image.text}"


def _not_golden(image: Image, policy: Policy) -> Violation | None:
    if policy.golden is None or not image.occurrence.is_base:
        return None
    if not (image.occurrence.final or policy.golden_scope == "all"):
        return None
    if any(pattern.matches(image.ref) for pattern in policy.golden):
        return None
    stage = "the final stage" if image.occurrence.final else "a stage"
    return Violation(
        f"{stage} is built on {quote(image.text)}, which is not a golden image",
        f"build on one of {_listed(policy.golden)}",
    )


def _insecure_registry(image: Image, policy: Policy) -> Violation | None:
    if not any(pattern.matches(image.ref.registry, image.ref.path) for pattern in policy.insecure):
        return None
    return Violation(
        f"{quote(image.text)} comes from {image.ref.registry}, which is configured as insecure: "
        "anyone on the network path can replace it",
        f"use a trusted certificate for {image.ref.registry}, and remove it from the insecure registries",
    )


def _insecure_declaration(declaration: Declaration) -> Violation | None:
    """Check a registry that a container configuration lists as insecure; loopback is allowed."""
    if HostPattern(declaration.host).is_loopback:
        return None
    return Violation(
        f"the registry {quote(declaration.host)} is configured as insecure: its certificate is not verified",
        "use a certificate that the container engine trusts, and remove it from the list",
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
            "The full reference is compared, however it is written.",
            why="Anybody can push to a public registry, and attackers use names that look like those of well-known "
            "images. A list of trusted repositories, such as the Docker Official Images and your company's registry, "
            "keeps all others out.",
            bad=Example("Dockerfile", "FROM somebody/nginx:1.27.3\n", _ALLOWED),
            good=Example("Dockerfile", "FROM nginx:1.27.3\n", _ALLOWED),
            fix="Use an image from an allowed repository, or add its repository to the list.",
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
        "no registry",
        Page(
            what="Finds references without a registry.",
            why="Docker uses `docker.io`. Podman and others try a configured list of registries and may pull a "
            "different image from the first one that has such a name.",
            bad=Example("Dockerfile", "FROM nginx:1.27.3\n", _QUALIFIED),
            good=Example("Dockerfile", "FROM docker.io/library/nginx:1.27.3\n", _QUALIFIED),
            fix="Write the registry and, for `docker.io`, the namespace, such as `docker.io/library/nginx`.",
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
            what="Finds Dockerfiles whose final stage is not built on a golden image. If a stage is built on an "
            "earlier stage, the base of the earlier stage counts. `FROM scratch` passes.",
            why="Golden images are base images that a company builds from images that it trusts and keeps in its own "
            "registry, with its certificates and fixes. They help only if everything is built on them.",
            bad=Example("Dockerfile", "FROM openjdk:21.0.2\n", _GOLDEN),
            good=Example("Dockerfile", "FROM registry.local:5001/golden/openjdk:21.0.2\n", _GOLDEN),
            fix="Build on the golden image of the same kind. If there is none yet, add an exception with a reason and "
            "an expiry date.",
            settings='On if `golden` is set: patterns, as for IMG201. `golden-scope = "all"` applies the rule to all '
            'stages, not only to the final one (`"final"`, the default).',
        ),
        _not_golden,
        waits_for=("golden",),
        level="error",
    ),
    Rule(
        "IMG401",
        "insecure-registry",
        "an insecure registry: an image from it, or its configuration",
        Page(
            what="Finds registries that the Docker or containers configuration (`daemon.json`, `registries.conf`) "
            "sets as insecure, and images from these and from `insecure-registries`. Settings for this machine "
            "itself (`localhost`, 127.0.0.0/8, ::1) pass.",
            why="Images from an insecure registry are transferred without encryption, or with a certificate that is "
            "not verified. An attacker on the network can replace them.",
            bad=Example("daemon.json", '{"insecure-registries": ["registry.local:5001"]}\n'),
            good=Example("daemon.json", '{"insecure-registries": []}\n'),
            fix="Use TLS with a certificate. A certificate from your company's own authority works: install the "
            "authority's certificate in `certs.d`.",
            settings="`insecure-registries`: hosts with their port, such as `registry.local:5001`. Only this rule "
            "uses it: it does not change how imgref connects to registries.",
        ),
        _insecure_registry,
        declaration=_insecure_declaration,
        level="error",
    ),
)
