"""The rows of the kinds whose documents are objects with ``apiVersion``; those that are certain come first.

They are rows of the same table as those in :mod:`imgref.sources.kinds`.
"""

from __future__ import annotations

from typing import Final

from imgref.sources.kind import Kind
from imgref.sources.syntax import YAML

__all__ = ["OBJECTS"]

OBJECTS: Final = (
    Kind(
        "kustomize",
        "Kustomize",
        "`images`, `valuesInline` of `helmCharts`",
        YAML,
        "yaml.kustomize:read",
        names=("kustomization.yaml", "Kustomization"),
        test="yaml.kustomize:is_kustomization",
        content="`apiVersion: kustomize.config.k8s.io/…`",
        needs=("images:", "valuesInline:"),
        signs=("apiVersion",),
        decisive=True,
        examples=("kustomization.yaml", "overlay/kustomization.yml", "overlay/Kustomization"),
    ),
    Kind(
        "flux",
        "Flux",
        "values of a HelmRelease, read as Helm values; `images` of a Kustomization and of `postRenderers`",
        YAML,
        "yaml.flux:read",
        test="yaml.flux:is_flux",
        content="`apiVersion: ….toolkit.fluxcd.io/…`",
        needs=("image:", "images:", "repository:", "{{"),
        signs=("apiVersion",),
        decisive=True,
        examples=("release.yaml",),
    ),
    Kind(
        "argo-cd",
        "Argo CD",
        "`helm.values`, `helm.valuesObject`, `helm.parameters` and `kustomize.images` of Applications",
        YAML,
        "yaml.argo_cd:read",
        test="yaml.argo_cd:is_application",
        content="`kind: Application` or `ApplicationSet` of `argoproj.io`",
        needs=("helm:", "kustomize:"),
        signs=("apiVersion",),
        decisive=True,
        examples=("application.yaml",),
    ),
    Kind(
        "kyverno",
        "Kyverno",
        "`image` in `mutate` and `generate`; patterns are not images",
        YAML,
        "yaml.kyverno:read",
        test="yaml.kyverno:is_policy",
        content="`apiVersion: ….kyverno.io/…`",
        needs=("image:",),
        signs=("apiVersion",),
        decisive=True,
        examples=("policy.yaml",),
    ),
    Kind(
        "skaffold",
        "Skaffold",
        "`image` of artifacts and tests, which are built here; builders, base images, `verify` and `customActions`",
        YAML,
        "yaml.skaffold:read",
        test="yaml.skaffold:is_skaffold",
        content="`apiVersion: skaffold/…`",
        needs=("image:", "Image:", "images:", "builder:", "cacheFrom:"),
        signs=("apiVersion",),
        decisive=True,
        # Each builder parses references with its own library.
        takes_tag_and_digest=False,
        examples=("skaffold.yaml",),
    ),
    Kind(
        "olm-catalog",
        "OLM catalogs",
        "`image` and `relatedImages` of bundles",
        YAML,
        "yaml.olm_catalog:read",
        test="yaml.olm_catalog:is_bundle",
        content="`schema: olm.bundle` without `apiVersion`",
        hints=("olm.bundle",),
        needs=("image:",),
        signs=("olm.bundle",),
        decisive=True,
        takes_tag_and_digest=False,
        examples=("catalog.yaml",),
    ),
    Kind(
        "kubernetes",
        "Kubernetes",
        "images of containers, init and ephemeral containers at any depth; image volumes; `image` in custom resources; "
        "`DockerImage` in builds and image streams of OpenShift",
        YAML,
        "yaml.kubernetes:read",
        maybe=("*.json",),
        test="yaml.kubernetes:is_manifest",
        content="`apiVersion` and `kind`",
        hints=("bundle", "docker://", "DockerImage"),
        needs=(
            "image:",
            "imageName:",
            "containerImage:",
            "RELATED_IMAGE_",
            "docker://",
            "DockerImage",
            "bundle tekton.dev",
        ),
        signs=("apiVersion",),
        decisive=True,
        examples=("deploy.yaml", "pod.json"),
    ),
)
"""Kinds of objects: Kubernetes, and what builds on it."""
