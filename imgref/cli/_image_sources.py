"""Images on disk and on registries, as the commands take them that join several into one index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from imgref._grammar import DIGEST, is_a
from imgref.cli.push import open_image_archive
from imgref.errors import ArchiveError
from imgref.reference import ImageReference, left_out, parse
from imgref.repository import Repository

if TYPE_CHECKING:
    from imgref.archive.image import Image
    from imgref.archive.join import ImagePart
    from imgref.registry.client import RegistryClient

__all__ = ["OpenImages", "annotation_option", "open_images", "read_annotations"]


class OpenImages(NamedTuple):
    """Images on disk and on registries, and the repositories of those."""

    parts: tuple[ImagePart, ...]
    repositories: tuple[ImageReference, ...]

    def joined(self, annotations: Mapping[str, str]) -> Image:
        """Return an index of the images.

        Raises:
            ArchiveError: two images are for one platform, or the platform of one is not known.
        """
        from imgref.archive.join import join_images

        return join_images(self.parts, annotations)


annotation_option = click.option(
    "--annotation",
    "annotations",
    metavar="KEY=VALUE",
    multiple=True,
    help="Add an annotation to the index, such as org.opencontainers.image.source=URL; repeatable",
)


def read_annotations(texts: Sequence[str]) -> dict[str, str]:
    """Return the annotations in options.

    Raises:
        click.UsageError: one is not KEY=VALUE, or a key occurs twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--annotation {text!r} is not KEY=VALUE")
        if key in found:
            raise click.UsageError(f"--annotation {key} is given twice")
        found[key] = value
    return found


@contextmanager
def open_images(
    client: RegistryClient, texts: Sequence[str], target: ImageReference, pick: str | None = None
) -> Iterator[OpenImages]:
    """Open images.

    Args:
        client: the client to use.
        texts: a path on disk, a reference with a tag or digest, or a digest in the target's repository.
        target: where the images go.
        pick: which image to take of an archive that has several.

    Raises:
        ArchiveError: an image cannot be read.
        RegistryError: a registry refuses or fails.
    """
    from imgref.archive.join import ImagePart

    with ExitStack() as stack:
        parts: list[ImagePart] = []
        repositories: list[ImageReference] = []
        for text in texts:
            ref = _reference(text, target)
            if ref is None:
                parts.append(ImagePart(text, stack.enter_context(open_image_archive(text)).image(pick)))
            else:
                from imgref.registry.transfer.moves import remote_image

                parts.append(ImagePart(text, remote_image(client, ref)))
                repositories.append(Repository.of(ref).reference)
        yield OpenImages(tuple(parts), tuple(dict.fromkeys(repositories)))


def _reference(text: str, target: ImageReference) -> ImageReference | None:
    """Return the image on a registry that a string refers to, or None for one on disk."""
    if is_a(DIGEST, text):
        return target.without_tag().with_digest(text)
    if text == "-" or Path(text).exists():
        return None
    if text.startswith((".", "/", "~")):
        raise ArchiveError("cannot be read: there is no such file or directory", text)
    ref = parse(text)
    if "tag" in left_out(text):
        reason = "cannot be read: there is no such file, and an image on a registry is given by its tag or digest"
        raise ArchiveError(reason, text)
    return ref
