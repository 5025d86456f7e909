"""Every error that imgref raises on purpose.

::

    ImgrefError
    ├─ InvalidReference(ValueError)    text, span, reason, hint
    ├─ InvalidTag(ValueError)          text, reason, hint
    ├─ InvalidVersion(ValueError)      text, reason, hint
    ├─ UnknownBuild                    system
    ├─ ConfigError                     path, line
    ├─ ArchiveError                    path, member
    └─ RegistryError                   method, url (no secrets), status
       ├─ AuthenticationError
       ├─ NotFound
       ├─ RateLimited                  retry_after
       ├─ TagConflict
       ├─ UnreliableTagList
       └─ RegistryUnavailable           permanent

``str(error)`` is one line: what is wrong, the rule, the value in quotes, and a suggestion.
"""

from __future__ import annotations

from imgref._printable import MASK, masked

__all__ = [
    "ArchiveError",
    "AuthenticationError",
    "ConfigError",
    "ImgrefError",
    "InvalidReference",
    "InvalidTag",
    "InvalidVersion",
    "NotFound",
    "RateLimited",
    "RegistryError",
    "RegistryUnavailable",
    "TagConflict",
    "UnknownBuild",
    "UnreliableTagList",
]

_SHOWN = 120
"""How many characters of a value an error's one line shows, at the most."""


def quote(text: str, focus: int = 0) -> str:
    r"""Put a value in quotes for a one-line message: without credentials, escaped, cut around ``focus`` if it is long.

    >>> quote("app:1\n"), quote("u:pw@host/app")
    ("'app:1\\n'", "'***@host/app'")
    """
    text = masked(text)
    if len(text) <= _SHOWN:
        return repr(text)
    start = max(0, min(focus - _SHOWN // 2, len(text) - _SHOWN))
    end = start + _SHOWN
    return f"{'…' if start else ''}{text[start:end]!r}{'…' if end < len(text) else ''}"


class ImgrefError(Exception):
    """The root of the tree: ``except ImgrefError`` catches everything that imgref raises on purpose."""


class _InvalidText(ImgrefError, ValueError):
    """A string that is not valid, with the reason and, if there is one, a suggestion."""

    _kind = "text"

    def __init__(self, text: str, reason: str, hint: str | None = None) -> None:
        super().__init__(text, reason, hint)
        self.text = text
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        meant = "" if self.hint is None else f"; did you mean {quote(self.hint)}?"
        return f"invalid {self._kind} {quote(self.text)}: {self.reason}{meant}"


class InvalidReference(_InvalidText):
    """A string that is not a valid image reference.

    Attributes:
        text: the original string. If it contains credentials, only this attribute keeps them.
        span: start and end of the characters that break the rule, as indexes into ``text``; empty only
            if ``text`` has no character there.
        reason: the first rule broken.
        hint: a valid reference that was probably meant, or None.

    >>> import imgref
    >>> try:
    ...     imgref.parse("Acme/App:1")
    ... except InvalidReference as error:
    ...     error.span, error.hint
    ((5, 8), 'acme/app:1')
    """

    _kind = "reference"

    def __init__(
        self,
        text: str,
        span: tuple[int, int],
        reason: str,
        hint: str | None = None,
        *,
        secret: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(text, reason, hint)
        self.span = span
        self._secret = secret
        # Tracebacks, loggers and repr() of bare exceptions show args: they get the masked string.
        self.args = (self.shown()[0], reason, hint)

    def shown(self) -> tuple[str, tuple[int, int]]:
        """Return the string with its credentials masked, and the span in that string.

        >>> InvalidReference("u:pw@host/app", (0, 5), "why", secret=(0, 4)).shown()
        ('***@host/app', (0, 4))
        """
        if self._secret is None:
            return self.text, self.span
        start, end = self._secret
        lost = (end - start) - len(MASK)

        def moved(index: int) -> int:
            return index if index <= start else index - lost if index >= end else start + len(MASK)

        return self.text[:start] + MASK + self.text[end:], (moved(self.span[0]), moved(self.span[1]))

    def __str__(self) -> str:
        text, (start, _) = self.shown()
        meant = "" if self.hint is None else f"; did you mean {quote(self.hint)}?"
        return f"invalid reference {quote(text, start)}: {self.reason}{meant}"

    def __repr__(self) -> str:
        text, span = self.shown()
        return f"InvalidReference(text={text!r}, span={span}, reason={self.reason!r}, hint={self.hint!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _invalid_reference, (self.text, self.span, self.reason, self.hint, self._secret)


def _invalid_reference(
    text: str, span: tuple[int, int], reason: str, hint: str | None, secret: tuple[int, int] | None
) -> InvalidReference:
    return InvalidReference(text, span, reason, hint, secret=secret)


class InvalidTag(_InvalidText):
    """A string that is not a valid tag, or that cannot be turned into one."""

    _kind = "tag"


class InvalidVersion(_InvalidText):
    """A string that is not a valid version in a scheme; the reason names a scheme that would accept it."""

    _kind = "version"


class UnknownBuild(ImgrefError):
    """The environment leaves open what is being built: no CI system, or one whose variables are not enough.

    Attributes:
        system: the CI system that was detected, or None.
    """

    def __init__(self, reason: str, system: str | None = None) -> None:
        super().__init__(reason, system)
        self.reason = reason
        self.system = system

    def __str__(self) -> str:
        return self.reason if self.system is None else f"{self.system}: {self.reason}"


class ConfigError(ImgrefError):
    """A settings file that cannot be used.

    Attributes:
        path: the file.
        line: the 1-based line, or None if unknown.
    """

    def __init__(self, reason: str, path: str, line: int | None = None) -> None:
        super().__init__(reason, path, line)
        self.reason = reason
        self.path = path
        self.line = line

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.reason}"


class ArchiveError(ImgrefError):
    """An image on disk that cannot be read or written.

    Attributes:
        path: the archive or directory.
        member: the file inside it that is wrong, or None.
    """

    def __init__(self, reason: str, path: str, member: str | None = None) -> None:
        super().__init__(reason, path, member)
        self.reason = reason
        self.path = path
        self.member = member

    def __str__(self) -> str:
        place = self.path if self.member is None else f"{self.path}: {self.member}"
        return f"{place}: {self.reason}"


class RegistryError(ImgrefError):
    """A registry that refused, failed, or answered what it should not.

    Attributes:
        method: the HTTP method of the request that failed, or None.
        url: its address, without user, password and query.
        status: the HTTP status, or None where there was no answer.
    """

    def __init__(
        self, reason: str, *, method: str | None = None, url: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.method = method
        self.url = url
        self.status = status

    def __str__(self) -> str:
        return self.reason


class AuthenticationError(RegistryError):
    """Credentials are missing, wrong, or not enough for what was asked."""


class NotFound(RegistryError):
    """A repository, tag, manifest or blob that does not exist, or that these credentials may not see."""


class RateLimited(RegistryError):
    """The registry asks to come back later.

    Attributes:
        retry_after: seconds that the registry asked to wait, or None.
    """

    def __init__(
        self,
        reason: str,
        *,
        method: str | None = None,
        url: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason, method=method, url=url, status=status)
        self.retry_after = retry_after


class TagConflict(RegistryError):
    """A tag that must not move points to another digest."""


class UnreliableTagList(RegistryError):
    """A registry's list of tags cannot be read, or contradicts the tags that exist.

    A tag that is missing from such a list may still exist, so no decision can be based on it.
    """


class RegistryUnavailable(RegistryError):
    """No connection, no certificate that is trusted, or no answer in time.

    Attributes:
        permanent: whether another attempt would fail the same way, as with a certificate that is not trusted.
    """

    def __init__(
        self,
        reason: str,
        *,
        method: str | None = None,
        url: str | None = None,
        status: int | None = None,
        permanent: bool = False,
    ) -> None:
        super().__init__(reason, method=method, url=url, status=status)
        self.permanent = permanent
