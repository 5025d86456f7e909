"""Addresses on the web: taken apart, compared, and shown without what may be secret in them."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from imgref.registry.hosts import split_host

__all__ = ["origin_of", "shown_url", "split"]


def split(url: str) -> SplitResult | None:
    """Split an absolute http or https URL; None where it is none, or holds what a terminal would obey."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname and url.isprintable() else None


def shown_url(url: str) -> str:
    """Give a URL without user, password, query and fragment, any of which may be secret.

    >>> shown_url("https://u:p@blobs.example/x?signature=s")
    'https://blobs.example/x'
    """
    parts = split(url)
    return "" if parts is None else f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def origin_of(url: str) -> str:
    """Give scheme, host and port of a URL: what credentials are bound to.

    >>> origin_of("https://Registry.example:443/v2/?n=1") == origin_of("https://registry.example")
    True
    """
    parts = urlsplit(url)
    name, port = split_host(parts.netloc.rpartition("@")[2])
    port = port if port is not None else {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{f'[{name}]' if ':' in name else name}:{port}"
