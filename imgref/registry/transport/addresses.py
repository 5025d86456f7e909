"""Addresses on the web: taken apart, compared, and shown without what may be secret in them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from imgref.hosts import split_host

__all__ = ["located", "origin_of", "shown_url", "split"]

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._~-]++|\[[0-9A-Fa-f:.]++\])(?::[0-9]{0,5}+)?", re.ASCII)
"""Narrower than RFC 3986: where two readers of URLs disagree about the host, credentials would go to the wrong one."""


def split(url: str) -> SplitResult | None:
    """Split an absolute http or https URL; return None if it is not one, or contains control characters."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    known = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc.rpartition("@")[2])
    return parts if known and url.isprintable() else None


def located(base: str, target: str) -> str | None:
    """Return a location, relative or absolute, as an absolute URL.

    Args:
        base: the URL of the response that contained the location.
        target: the location: a ``Location`` or ``Link`` header, or the realm of a token service.

    Returns:
        None if it is not a valid http or https URL, or contains a user name.

    >>> located("https://registry.example/v2/", "/token?a=b"), located("https://registry.example/", "http://[::1")
    ('https://registry.example/token?a=b', None)
    """
    try:
        url = urljoin(base, target)
    except ValueError:
        return None
    parts = split(url)
    return url if parts is not None and "@" not in parts.netloc else None


def shown_url(url: str) -> str:
    """Return a URL without user, password, query and fragment, any of which may be secret.

    >>> shown_url("https://u:p@blobs.example/x?signature=s")
    'https://blobs.example/x'
    """
    parts = split(url)
    return "" if parts is None else f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL: what credentials are bound to.

    >>> origin_of("https://Registry.example:443/v2/?n=1") == origin_of("https://registry.example")
    True
    """
    parts = urlsplit(url)
    name, port = split_host(parts.netloc.rpartition("@")[2])
    port = port if port is not None else {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{f'[{name}]' if ':' in name else name}:{port}"
