"""What answers of a registry have in common: manifests, and the digests that they name."""

from __future__ import annotations

from imgref._grammar import DIGEST, is_a
from imgref.archive.manifest import Manifest
from imgref.errors import RegistryError, quote
from imgref.reference import ImageReference
from imgref.registry.session import place_of
from imgref.registry.transport import Response

__all__ = ["check_digest", "manifest_in"]


def manifest_in(answer: Response, ref: ImageReference, digest: str | None) -> Manifest:
    """Read the manifest that came.

    Raises:
        RegistryError: it is not a manifest, or not the requested one.
    """
    kind = answer.header("Content-Type")
    try:
        return Manifest.read(answer.body, kind, digest)
    except ValueError as error:
        reason = f"the manifest that came {error}"
        if "html" in kind.lower() or answer.body[:64].lstrip().lower().startswith((b"<!doctype", b"<html")):
            reason = "a manifest was expected, but an HTML page came"
        raise RegistryError(f"{ref}: {reason}", **place_of(answer)) from error


def check_digest(about: str, found: str, wanted: str | None) -> None:
    """Raise RegistryError for a digest that a registry names, if it is not valid or not the wanted one."""
    if not is_a(DIGEST, found):
        raise RegistryError(f"{about}: the registry returns {quote(found)}, which is not a valid digest")
    if wanted is not None and found != wanted:
        raise RegistryError(f"{about}: the registry returns the digest {found} instead of {wanted}")
