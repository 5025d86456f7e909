"""The ``Authorization`` header: parses challenges, requests tokens, and sends passwords only where that is allowed.

https://distribution.github.io/distribution/spec/auth/token/ and, for identity tokens,
https://distribution.github.io/distribution/spec/auth/oauth/
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlencode, urlsplit

from imgref.archive.manifest import read_json
from imgref.errors import AuthenticationError, RateLimited, RegistryError
from imgref.hosts import split_host
from imgref.registry import credentials
from imgref.registry.challenges import Challenge, challenges, preferred
from imgref.registry.credentials import Credential, Credentials
from imgref.registry.hosts import Trust
from imgref.registry.transport import Endpoint, Event, Request, Response, Transport, origin_of, retry_after
from imgref.registry.transport.addresses import located

__all__ = ["Access", "Authenticator", "Renewal"]

_CLIENT: Final = "imgref"
_LIFETIME: Final = 60.0
"""Seconds that a token is valid by default: https://distribution.github.io/distribution/spec/auth/token/."""
_LONGEST_LIFETIME: Final = 366 * 86_400.0
_MARGIN: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Token:
    header: str = field(repr=False)
    expires: float


@dataclass(frozen=True, slots=True)
class Renewal:
    """The header for another attempt after a 401.

    Attributes:
        header: the ``Authorization`` header.
        own: whether no other request has the token: if it is refused, another one would be refused as well.
        keys: what the token is to be kept for, if it is accepted.
        token: the token, if it is not kept yet.
    """

    header: str = field(repr=False)
    own: bool
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    token: _Token | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs permission for.

    Attributes:
        endpoint: the registry.
        path: the repository.
        scopes: the scopes that a token needs.
        about: the reference, for messages.
    """

    endpoint: Endpoint
    path: str
    scopes: Sequence[str]
    about: str


class Authenticator:
    """Returns the ``Authorization`` header for requests to registries; safe to use from several threads.

    Tokens are kept by registry and scopes until they end. Credentials are looked for when a registry first asks.
    """

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials
        self._challenges: dict[str, Challenge | None] = {}
        self._tokens: dict[tuple[str, tuple[str, ...]], _Token] = {}
        self._secrets: set[str] = set()
        self._lock = threading.RLock()

    def masked(self, text: str) -> str:
        """Return a registry's message without any secret that was sent to it: some repeat the request in errors."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def authorization(self, access: Access) -> str | None:
        """Return the header for a request, or None if the registry has not asked for one.

        Raises:
            AuthenticationError: the token service refuses the credentials, or to go without.
        """
        endpoint = access.endpoint
        with self._lock:
            if endpoint.registry not in self._challenges:
                self._challenges[endpoint.registry] = preferred(challenges(endpoint.challenges))
            challenge = self._challenges[endpoint.registry]
            if challenge is None:
                return None
            credential = self._credentials.find(endpoint.registry, access.path)
            self._remember(credential)
            if challenge.scheme == "basic":
                return None if credential is None else self._basic(endpoint, credential)
            return self._bearer(replace(access, scopes=_united(access.scopes)), challenge, credential)

    def renew(self, access: Access, answer: Response, refused: Sequence[str | None]) -> Renewal | None:
        """Return the header with which to ask again after a 401; None where that would be no different.

        Some registries accept a token only once. Another request may have used the token that is kept, so after a
        second refusal this request gets one that no other request has.

        Args:
            access: what the request needed permission for.
            answer: the answer with status 401.
            refused: the headers that it refused, one after the other.

        Raises:
            AuthenticationError: as for :meth:`authorization`.
        """
        registry = access.endpoint.registry
        with self._lock:
            challenge = preferred(challenges(answer.all("WWW-Authenticate")))
            if challenge is None:
                return None
            self._challenges[registry] = challenge
            wanted = _united([*access.scopes, *challenge.parameters.get("scope", "").split()])
            kept = self._tokens.get((registry, wanted))
            if kept is not None and (kept.header in refused or len(refused) > 1):
                del self._tokens[registry, wanted]
                kept = None
            header = self.authorization(replace(access, scopes=wanted))
            if header is None or header in refused:
                return None
            token = self._tokens.get((registry, wanted))
            # Under the scopes of the request too: the next one must not run into the same 401.
            keys = ((registry, wanted), (registry, _united(access.scopes)))
            if token is not None and kept is None and refused[-1] is not None:
                # Kept only when it is accepted, so that no other request uses it before.
                for key in keys:
                    self._tokens.pop(key, None)
                return Renewal(header, own=True, keys=keys, token=token)
            if token is not None:
                self._tokens.update(dict.fromkeys(keys, token))
            return Renewal(header, own=token is None)

    def keep(self, renewal: Renewal) -> None:
        """Keep a token that the registry has accepted, for other requests."""
        if renewal.token is not None:
            with self._lock:
                self._tokens.update(dict.fromkeys(renewal.keys, renewal.token))

    def check(self, endpoint: Endpoint, credential: Credential) -> bool:
        """Try a credential with a registry; False if it asks for none, so that nothing is known about it.

        Raises:
            AuthenticationError: the registry or its token service refuses the credential.
            RegistryError: the host does not answer as a registry does, or the credential may not be sent there.
        """
        self._remember(credential)
        registry = endpoint.registry
        url, about = f"{endpoint.origin}/v2/", registry
        answer = self._transport.send(Request("GET", url, about))
        if answer.status == 401:
            challenge = preferred(challenges(answer.all("WWW-Authenticate")))
            if challenge is None:
                raise AuthenticationError(
                    f"{registry} asks for credentials in a way that imgref does not know", status=401
                )
            if challenge.scheme == "basic":
                header = self._basic(endpoint, credential)
            else:
                header = self._bearer(Access(endpoint, "", (), about), challenge, credential, strict=True)
            answer = self._transport.send(Request("GET", url, about, authorization=header))
            if answer.status == 401:
                raise credentials.refused(credential, registry, about)
            asked = True
        else:
            asked = False
        if answer.status != 200:
            reason = f"{registry} answers {answer.status} to GET /v2/, so it is not a registry"
            raise RegistryError(reason, method="GET", url=url, status=answer.status)
        return asked

    def _basic(self, endpoint: Endpoint, credential: Credential) -> str:
        if credential.kind != "password":
            reason = f"{endpoint.registry} requires a password, but {credential.source} has only a token"
            raise AuthenticationError(f"{reason}; imgref login {endpoint.registry} stores one", status=401)
        self._warn_if_unverified(endpoint, endpoint.registry)
        return credential.basic()

    def _bearer(
        self, access: Access, challenge: Challenge, credential: Credential | None, *, strict: bool = False
    ) -> str:
        endpoint, scopes, about = access.endpoint, tuple(access.scopes), access.about
        if credential is not None and credential.kind == "registry-token":
            self._warn_if_unverified(endpoint, endpoint.registry)
            return f"Bearer {credential.secret}"
        key = (endpoint.registry, scopes)
        kept = self._tokens.get(key)
        if kept is not None and not strict and kept.expires > time.monotonic():
            return kept.header
        named = challenge.parameters.get("realm", "")
        realm = located(f"{endpoint.origin}/v2/", named) if named else None
        if realm is None:
            reason = f"{about}: the token service that {endpoint.registry} names is not a valid URL"
            raise RegistryError(reason, status=401)
        parts = urlsplit(realm)
        withheld = "" if credential is None else self._withheld(endpoint, realm)
        if withheld:
            if strict:
                raise AuthenticationError(
                    f"{about}: the password is not sent to {parts.netloc}: {withheld}", status=401
                )
            self._transport.tell(Event("warning", f"credentials are not sent to {parts.netloc}: {withheld}"))
            credential = None
        answer = self._ask(realm, challenge.parameters.get("service", ""), scopes, credential, about)
        token = _token(answer, endpoint.registry, credential, parts.netloc, about)
        self._tokens[key] = token
        self._secrets.add(token.header.partition(" ")[2])
        return token.header

    def _remember(self, credential: Credential | None) -> None:
        if credential is not None:
            self._secrets |= {credential.secret, credential.basic().partition(" ")[2]}

    def _ask(
        self, realm: str, service: str, scopes: tuple[str, ...], credential: Credential | None, about: str
    ) -> Response:
        if credential is not None and credential.kind == "identity-token":
            form = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": _CLIENT,
                "scope": " ".join(scopes),
                "refresh_token": credential.secret,
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._transport.send(Request("POST", realm, about, headers, urlencode(form).encode()))
        asked = [("service", service)] if service else []
        asked += [("scope", scope) for scope in scopes]
        if credential is not None:
            asked.append(("account", credential.username))
        query = urlencode(asked)
        # The realm's own query is opaque, and stays as it is.
        url = realm if not query else f"{realm}{'&' if '?' in realm else '?'}{query}"
        shown = None if credential is None else credential.basic()
        return self._transport.send(Request("GET", url, about, authorization=shown))

    def _withheld(self, endpoint: Endpoint, realm: str) -> str:
        """Return why a password for a registry must not go to the token service that it names; empty where it may."""
        parts = urlsplit(realm)
        trust = self._transport.trust(parts.netloc)
        if parts.scheme == "http" and endpoint.origin.startswith("https:"):
            return f"{endpoint.registry} is spoken to over https, and its token service would be over plain http"
        if parts.scheme == "http" and trust is Trust.VERIFIED:
            return "it would go over plain http"
        if endpoint.trust is Trust.LOOPBACK and trust is Trust.LOOPBACK:
            return ""
        if not _may_authorize(endpoint, realm, trust):
            return f"{endpoint.registry}, which names it as its token service, was not reached over verified https"
        if trust is Trust.DECLARED and not (endpoint.verified and origin_of(realm) == origin_of(endpoint.origin)):
            self._warn(parts.netloc)
        return ""

    def _warn_if_unverified(self, endpoint: Endpoint, host: str) -> None:
        if endpoint.trust is Trust.DECLARED and not endpoint.verified:
            self._warn(host)

    def _warn(self, host: str) -> None:
        message = f"credentials for {host} are sent over an unverified connection, because it is configured as insecure"
        self._transport.tell(Event("warning", message))


def _may_authorize(endpoint: Endpoint, realm: str, trust: Trust) -> bool:
    """Return whether a registry, reached as it was, may choose this token service for the passwords."""
    if origin_of(realm) == origin_of(endpoint.origin) or (endpoint.verified and trust is not Trust.LOOPBACK):
        return True
    there, here = urlsplit(realm), urlsplit(endpoint.origin)
    near = split_host(there.netloc)[0] == split_host(here.netloc)[0]
    return trust is Trust.DECLARED and near and there.scheme == here.scheme


def _united(scopes: Iterable[str]) -> tuple[str, ...]:
    """Join scopes for one resource: ``pull`` and ``pull,push`` of a repository are the latter.

    >>> _united(["repository:a:pull", "repository:a:pull,push"])
    ('repository:a:pull,push',)
    """
    actions: dict[str, set[str]] = {}
    for scope in scopes:
        resource, _, allowed = scope.rpartition(":")
        actions.setdefault(resource, set()).update(allowed.split(","))
    return tuple(f"{resource}:{','.join(sorted(actions[resource]))}" for resource in sorted(actions))


def _token(answer: Response, registry: str, credential: Credential | None, service: str, about: str) -> _Token:
    if answer.status in (400, 401, 403):
        if credential is not None:
            raise credentials.refused(credential, registry, about)
        reason = f"{about}: {service} issues no token without credentials; imgref login {registry} stores them"
        raise AuthenticationError(reason, status=answer.status)
    if answer.status == 429:
        asked = retry_after(answer.header("Retry-After"))
        raise RateLimited(f"{about}: {service} asks to come back later", status=429, retry_after=asked)
    if answer.status != 200:
        raise RegistryError(
            f"{about}: {service} answers {answer.status} instead of giving a token", status=answer.status
        )
    try:
        fields = read_json(answer.body)
    except ValueError:
        fields = {}
    text = fields.get("token") or fields.get("access_token")
    if not isinstance(text, str) or not re.fullmatch(r"[\x21-\x7e]+", text):
        raise RegistryError(f"{about}: {service} answers with something else than a token", status=answer.status)
    lasts = fields.get("expires_in")
    # A number of any length may come; written this way, it is also false for NaN.
    if not isinstance(lasts, int | float) or isinstance(lasts, bool) or not 0 < lasts <= _LONGEST_LIFETIME:
        lasts = _LIFETIME
    return _Token(f"Bearer {text}", time.monotonic() + max(lasts - _MARGIN, lasts / 2))
