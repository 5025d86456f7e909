"""``imgref inspect``: what is in a manifest or an index, and the configuration of an image."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from imgref.cli import _console
from imgref.cli._each_reference import for_each_reference, read_references
from imgref.cli._help import Command
from imgref.cli._registry import platform_option, with_lookup

if TYPE_CHECKING:
    from imgref.archive.config import ImageConfig
    from imgref.archive.manifest import Descriptor, Manifest
    from imgref.platforms import Platform
    from imgref.reference import ImageReference
    from imgref.registry.lookup import Lookup

__all__ = ["command"]

_BASE: Final = "org.opencontainers.image.base."
"""https://github.com/opencontainers/image-spec/blob/main/annotations.md"""


class _Image(NamedTuple):
    """What the registry has for a reference; the configuration is empty for an index."""

    ref: ImageReference
    manifest: Manifest
    document: Mapping[str, object]
    host: str | None

    @property
    def config(self) -> ImageConfig:
        from imgref.archive.config import ImageConfig

        return ImageConfig.read(self.document)

    @property
    def base(self) -> dict[str, str] | None:
        """The base image as annotations name it, or else labels."""
        for marks in (self.manifest.annotations, self.config.labels):
            found = {key: marks[_BASE + key] for key in ("name", "digest") if marks.get(_BASE + key)}
            if found:
                return found
        return None


@click.command(cls=Command)
@click.argument("references", metavar="REF...", nargs=-1)
@platform_option("Show this platform's image, where REF is an index.")
@click.option("--raw", is_flag=True, help="Print the manifest's exact bytes; for one REF")
@click.option(
    "--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Output format"
)
@with_lookup
def command(lookup: Lookup, references: tuple[str, ...], platform: Platform | None, raw: bool, style: str) -> int:
    """Show the platforms, layers and configuration of images.

    Sizes are transfer sizes in bytes. To show the configuration of one image of an index, pass --platform. With several
    REFs, --format json prints one object per line. For a REF that fails, imgref prints an error; the exit code is the
    worst of all: 3, then 4, then 0.
    """
    refs = read_references(references)
    if raw and len(refs) > 1:
        raise click.UsageError("--raw prints the bytes of one manifest: pass one REF")
    printed = 0

    def ask(ref: ImageReference) -> _Image:
        if platform is not None:
            ref = ref.with_digest(lookup.resolve(ref, platform).digest)
        manifest = lookup.get_manifest(ref)
        return _Image(ref, manifest, {} if raw else lookup.get_config(ref, manifest), lookup.answered_by(ref))

    def show(image: _Image) -> None:
        nonlocal printed
        if raw:
            _write(image.manifest)
        elif style == "json":
            _console.say_json(_fields(image), indent=2 if len(refs) == 1 else None)
        else:
            if printed:
                _console.say("")
            _draw(image)
        printed += 1

    return for_each_reference(refs, ask, show)


def _write(manifest: Manifest) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(manifest.raw)
    sys.stdout.buffer.flush()


def _fields(image: _Image) -> dict[str, object]:
    manifest = image.manifest
    fields: dict[str, object] = {
        "reference": str(image.ref),
        "digest": manifest.digest,
        "media_type": manifest.media_type,
        "size": len(manifest.raw),
        "annotations": manifest.annotations,
        "base_image": image.base,
        "answered_by": image.host,
    }
    if manifest.is_index:
        return {**fields, "manifests": [_descriptor(child) for child in manifest.children]}
    config, created = image.config, image.document.get("created")
    return {
        **fields,
        "platform": None if config.platform is None else str(config.platform),
        "created": created if isinstance(created, str) else None,
        "user": config.user,
        "working_dir": config.working_dir,
        "env": config.env,
        "entrypoint": config.entrypoint,
        "command": config.command,
        "exposed_ports": config.exposed_ports,
        "volumes": config.volumes,
        "stop_signal": config.stop_signal,
        "labels": config.labels,
        "config": _descriptor(manifest.config) if manifest.config else None,
        "configuration": image.document,
        "layers": [_descriptor(layer) for layer in manifest.layers],
        "total_size": _total_size(manifest),
    }


def _total_size(manifest: Manifest) -> int:
    return sum(layer.size for layer in manifest.layers)


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


def _draw(image: _Image) -> None:
    manifest = image.manifest
    rows = [*_about(image), *([] if manifest.is_index else _configuration(image))]
    rows += [("annotation", f"{key}={value}") for key, value in sorted(manifest.annotations.items())]
    _console.say(_console.parts([row for row in rows if row[1]]), drawn=True)
    if manifest.is_index:
        children = [(str(child.platform or ""), child.digest, str(child.size)) for child in manifest.children]
        _console.table(("platform", "digest", "size"), children)
    elif manifest.layers:
        layers = [(layer.digest, str(layer.size), layer.media_type) for layer in manifest.layers]
        _console.table(("layer", "size", "media type"), layers)


def _about(image: _Image) -> Iterator[tuple[str, str]]:
    yield "reference", str(image.ref)
    yield "digest", image.manifest.digest
    yield "media type", image.manifest.media_type
    if image.host not in (None, image.ref.registry):
        yield "answered by", str(image.host)
    if image.base is not None:
        yield "base image", "@".join(image.base.values())


def _configuration(image: _Image) -> Iterator[tuple[str, str]]:
    config, manifest, created = image.config, image.manifest, image.document.get("created")
    yield "platform", "" if config.platform is None else str(config.platform)
    yield "created", created if isinstance(created, str) else ""
    yield "size", f"{_total_size(manifest)} bytes in {len(manifest.layers)} layers"
    yield "user", config.user
    yield "working dir", config.working_dir
    yield "entrypoint", _words(config.entrypoint)
    yield "command", _words(config.command)
    yield "exposed ports", ", ".join(config.exposed_ports)
    yield "volumes", ", ".join(config.volumes)
    yield "stop signal", config.stop_signal
    yield from (("env", variable) for variable in config.env)
    yield from (("label", f"{key}={value}") for key, value in sorted(config.labels.items()))


def _words(words: tuple[str, ...]) -> str:
    """Return a command line as a Dockerfile has it; nothing if there is none."""
    return json.dumps(words, ensure_ascii=False) if words else ""
