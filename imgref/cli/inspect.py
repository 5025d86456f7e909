"""``imgref inspect``: what is in a manifest or an index."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from imgref.cli import _console
from imgref.cli._registry import platform_option, with_client
from imgref.reference import ImageReference, parse

if TYPE_CHECKING:
    from imgref.archive.manifest import Descriptor, Manifest
    from imgref.platforms import Platform
    from imgref.registry.client import RegistryClient

__all__ = ["command"]


@click.command()
@click.argument("reference", metavar="REF")
@platform_option("Show this platform's image, where REF is an index.")
@click.option("--raw", is_flag=True, help="Print the manifest's exact bytes.")
@click.option(
    "--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to print."
)
@with_client
def command(client: RegistryClient, reference: str, platform: Platform | None, raw: bool, style: str) -> int:
    """Show an image that is on a registry: platforms, layers, sizes, annotations, labels.

    Sizes are those of what is transferred, in bytes.
    """
    ref = parse(reference)
    if platform is not None:
        ref = ref.with_digest(client.resolve(ref, platform).digest)
    manifest = client.get_manifest(ref)
    if raw:
        sys.stdout.flush()
        sys.stdout.buffer.write(manifest.raw)
        sys.stdout.buffer.flush()
        return 0
    fields = _fields(ref, manifest, client.get_config(ref, manifest))
    if style == "json":
        _console.say_json(fields, indent=2)
    else:
        _draw(fields, manifest)
    return 0


def _fields(ref: ImageReference, manifest: Manifest, config: Mapping[str, object]) -> dict[str, object]:
    fields: dict[str, object] = {
        "reference": str(ref),
        "digest": manifest.digest,
        "media_type": manifest.media_type,
        "size": len(manifest.raw),
        "annotations": manifest.annotations,
    }
    if manifest.is_index:
        return {**fields, "manifests": [_descriptor(child) for child in manifest.children]}
    system, architecture, variant = (config.get(key) for key in ("os", "architecture", "variant"))
    platform = "/".join(part for part in (system, architecture, variant) if isinstance(part, str) and part)
    settings = config.get("config")
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    created = config.get("created")
    return {
        **fields,
        "platform": platform or None,
        "created": created if isinstance(created, str) else None,
        "labels": {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {},
        "config": _descriptor(manifest.config) if manifest.config else None,
        "layers": [_descriptor(layer) for layer in manifest.layers],
        "total_size": sum(layer.size for layer in manifest.layers),
    }


def _descriptor(descriptor: Descriptor) -> dict[str, object]:
    fields: dict[str, object] = {
        "digest": descriptor.digest,
        "size": descriptor.size,
        "media_type": descriptor.media_type,
    }
    if descriptor.platform is not None:
        fields["platform"] = str(descriptor.platform)
    if descriptor.annotations:
        fields["annotations"] = dict(descriptor.annotations)
    return fields


def _draw(fields: Mapping[str, object], manifest: Manifest) -> None:
    rows = [(label.replace("_", " "), fields.get(label)) for label in ("reference", "digest", "media_type", "platform")]
    rows.append(("created", fields.get("created")))
    if not manifest.is_index:
        rows.append(("size", f"{fields['total_size']} bytes in {len(manifest.layers)} layers"))
    for label in ("labels", "annotations"):
        texts = fields.get(label)
        if isinstance(texts, dict):
            rows += [(label.removesuffix("s"), f"{key}={value}") for key, value in sorted(texts.items())]
    _console.say(_console.parts([(label, str(value)) for label, value in rows if value]), drawn=True)
    if manifest.is_index:
        children = [(str(child.platform or ""), child.digest, str(child.size)) for child in manifest.children]
        _console.table(("platform", "digest", "size"), children)
    elif manifest.layers:
        layers = [(layer.digest, str(layer.size), layer.media_type) for layer in manifest.layers]
        _console.table(("layer", "size", "media type"), layers)
