"""Makes strings safe to print: without credentials, and without characters that a terminal or a CI log interprets.

Everything that leaves imgref passes through here, once where a value becomes part of a message or a finding, and once
more where the command line prints.

Credentials are what is written before an ``@`` that a registry follows: ``user:password@host/app``,
``https://token@host``. Digests, e-mail addresses and npm's ``@scope/package`` have an ``@`` as well, and stay.
"""

from __future__ import annotations

from typing import Final

__all__ = ["MASK", "credentials_in", "masked", "masked_json", "printable", "without_credentials"]

MASK: Final = "***"


def printable(text: str, keep: str = "") -> str:
    r"""Escape the characters of a string that are not printable: controls, line separators, changes of direction.

    A byte that was not UTF-8, and was decoded with ``surrogateescape``, is shown as ``\xff``.

    Args:
        text: any string.
        keep: characters that stay, such as the newlines between printed lines.

    >>> printable("a\x1b[31mb\n\udcff")
    'a\\x1b[31mb\\n\\xff'
    """
    if text.isprintable():
        return text
    if keep and text.translate(dict.fromkeys(map(ord, keep))).isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else repr(character)[1:-1]


def masked(text: str, *, whole: bool = False, same_length: bool = False) -> str:
    """Return a string with the credentials in it replaced by ``***``.

    Masking twice has the same result as masking once, and the time is proportional to the length.

    Args:
        text: any string: a message, a line of a file, a reference.
        whole: whether the string is one reference, in which everything before an ``@`` without a digest is secret.
        same_length: whether to write as many ``*`` as there were characters, so that columns stay what they are.

    >>> masked("'https://ada:s3cret@host/app' is not joe@example.com, nor app@sha256:" + 64 * "0")[:60]
    "'https://***@host/app' is not joe@example.com, nor app@sha25"
    >>> masked("u:pw@host/app", same_length=True)
    '****@host/app'
    """
    if "@" not in text:
        return text
    from imgref._masking import mask

    return mask(text, whole=whole, same_length=same_length)


def masked_json(text: str) -> str:
    r"""Return JSON with the credentials in its strings masked, and without DEL, which JSON does not escape.

    >>> masked_json('{"a": "u:pw@host/app", "n": [1]}')
    '{"a": "***@host/app", "n": [1]}'
    """
    text = text.replace("\x7f", "\\u007f")
    if "@" not in text:
        return text
    from imgref._masking import mask_json

    return mask_json(text)


def without_credentials(address: str) -> str:
    """Return a URL without user and password, for where ``***`` would be a part of a value.

    >>> without_credentials("https://u:pw@git.example/app.git")
    'https://git.example/app.git'
    """
    span = credentials_in(address) if "://" in address else None
    return address if span is None else address[: span[0]] + address[span[1] + 1 :]


def credentials_in(text: str) -> tuple[int, int] | None:
    """Find the user and password in a reference: everything before an ``@`` that no digest follows.

    Returns:
        Where they begin and end; the ``@`` is not part of them. None where there are none.

    >>> credentials_in("https://u:p@ss@host/app")
    (8, 14)
    """
    if "@" not in text:
        return None
    from imgref._masking import find_credentials

    return find_credentials(text)
