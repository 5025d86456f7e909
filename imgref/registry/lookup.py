"""Looking images up: the questions of :class:`RegistryClient`, asked of the mirrors first and of the origin last.

A mirror only replaces requests to the origin. If it lacks an image, refuses, or fails, the next location is asked,
and that something does not exist is known from the origin alone. Nothing can be written through a lookup: releases,
pushes and tags use :class:`RegistryClient`, which knows no mirrors.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from imgref.archive.manifest import Descriptor, Manifest
from imgref.errors import NotFound, RateLimited, RegistryError, RegistryUnavailable
from imgref.platforms import Platform
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts, InsecureHost
from imgref.registry.mirrors import Location, Mirrors
from imgref.registry.transport import TRIES, Event
from imgref.repository import Repository

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Lookup"]

_MIRROR_TRIES: Final = 2
"""A mirror gets few retries: there is another location to ask."""

_T = TypeVar("_T")


class Lookup:
    """Asks registries about images, through the mirrors that are configured; safe to use from several threads.

    The methods are those of :class:`RegistryClient`, with the same results and errors. A mirror that cannot be reached
    is reported once, and not asked again.

    Args:
        hosts: how hosts are trusted; by default according to the environment and the settings.
        credentials: where credentials are; a mirror gets only those that are for its own host.
        mirrors: the mirrors; by default those of the user's container configuration.
        on_event: receives retries and warnings, from whichever thread they happen in.
        timeout: seconds within which something must have arrived.

    >>> with Lookup(Hosts(), Credentials({}), Mirrors()) as lookup:
    ...     lookup
    <Lookup>
    """

    def __init__(
        self,
        hosts: Hosts | None = None,
        credentials: Credentials | None = None,
        mirrors: Mirrors | None = None,
        on_event: Callable[[Event], None] | None = None,
        *,
        timeout: float = 60.0,
    ) -> None:
        self.hosts = Hosts.load() if hosts is None else hosts
        self.credentials = Credentials() if credentials is None else credentials
        self.mirrors = Mirrors.load() if mirrors is None else mirrors
        self._on_event = on_event
        self._timeout = timeout
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, bool], RegistryClient] = {}
        self._failed: set[str] = set()
        self._answered: dict[str, str] = {}

    def __repr__(self) -> str:
        return "<Lookup>"

    def __enter__(self) -> Lookup:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()

    def report(self, event: Event) -> None:
        """Pass an event to ``on_event``."""
        if self._on_event is not None:
            self._on_event(event)

    def answered_by(self, ref: ImageReference) -> str | None:
        """Return the registry that answered the last question about a reference, or None if none has.

        For ``docker.io`` without mirrors, that is ``docker.io``.
        """
        return self._answered.get(str(ref))

    def resolve(self, ref: ImageReference, platform: Platform | None = None) -> Descriptor:
        """Return the descriptor of a manifest or index; see :meth:`RegistryClient.resolve`."""
        return self._ask(
            ref,
            lambda client, place: client.resolve(place, platform),
            # One HEAD is enough to pass over a mirror.
            None if platform else RegistryClient.find,
        )

    def find(self, ref: ImageReference) -> Descriptor | None:
        """Return the descriptor of a manifest or index, or None if there is none; see :meth:`RegistryClient.find`."""
        return self._ask(ref, RegistryClient.find)

    def get_manifest(self, ref: ImageReference) -> Manifest:
        """Return a manifest or index, whose digest is verified; see :meth:`RegistryClient.get_manifest`."""
        return self._ask(ref, RegistryClient.get_manifest)

    def get_config(self, ref: ImageReference, manifest: Manifest) -> Mapping[str, object]:
        """Return the configuration of an image, whose digest is verified; see :meth:`RegistryClient.get_config`."""
        return self._ask(ref, lambda client, place: client.get_config(place, manifest))

    def list_tags(self, repository: ImageReference) -> list[str]:
        """Return every tag of a repository; see :meth:`RegistryClient.list_tags`.

        The tags of a mirror count, unless it is used for digests only or lists none.
        """
        bare = Repository.of(repository).reference

        def listed(client: RegistryClient, place: ImageReference) -> list[str] | None:
            return client.list_tags(place) or None

        return self._ask(bare, RegistryClient.list_tags, listed)

    def _ask(
        self,
        ref: ImageReference,
        question: Callable[[RegistryClient, ImageReference], _T],
        to_mirror: Callable[[RegistryClient, ImageReference], _T | None] | None = None,
    ) -> _T:
        """Return the answer of the first mirror that has one, or that of the origin."""
        *mirrors, origin = self.mirrors.locations(ref)
        for location in mirrors:
            answer = self._answer(location, ref, to_mirror or question)
            if answer is not None:
                self._answered[str(ref)] = location.ref.registry
                return answer
        result = question(self._client(origin), origin.ref)
        self._answered[str(ref)] = origin.ref.registry
        return result

    def _answer(
        self,
        location: Location,
        ref: ImageReference,
        question: Callable[[RegistryClient, ImageReference], _T],
    ) -> _T | None:
        host = location.ref.registry
        if host in self._failed:
            return None
        try:
            return question(self._client(location), location.ref)
        except NotFound:
            return None
        except RegistryError as error:
            with self._lock:
                if host in self._failed:
                    return None
                what = "this answer is not used"
                if isinstance(error, RegistryUnavailable | RateLimited):
                    self._failed.add(host)
                    what = "it is not asked again"
            self.report(Event("warning", f"{ref}: the mirror {host} failed, and {what}: {error.reason}"))
            return None

    def _client(self, location: Location) -> RegistryClient:
        """Return the client for a location; a location that alone is insecure has its own client."""
        key = (location.ref.registry if location.insecure else "", location.is_mirror)
        with self._lock:
            if key not in self._clients:
                hosts = self.hosts
                if location.insecure:
                    declared = InsecureHost(location.ref.registry, location.source)
                    hosts = replace(hosts, declared=(*hosts.declared, declared))
                self._clients[key] = RegistryClient(
                    hosts,
                    self.credentials,
                    self._on_event,
                    timeout=self._timeout,
                    tries=_MIRROR_TRIES if location.is_mirror else TRIES,
                )
            return self._clients[key]
