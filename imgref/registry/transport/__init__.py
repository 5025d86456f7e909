"""HTTP for registries, on urllib3; nothing else in imgref opens a connection.

- :mod:`imgref.registry.transport.sender`: retries and redirects
- :mod:`imgref.registry.transport.connections`: which connection is allowed, and one request over it
- :mod:`imgref.registry.transport.messages`: requests, answers, events
- :mod:`imgref.registry.transport.pools`: TLS, CAs and proxies
- :mod:`imgref.registry.transport.addresses`: addresses, compared and shown
- :mod:`imgref.registry.transport.failures`: what went wrong, in words
"""

from __future__ import annotations

from imgref.registry.transport.addresses import origin_of
from imgref.registry.transport.messages import Body, Endpoint, Event, Request, Response, retry_after
from imgref.registry.transport.sender import TRIES, Transport

__all__ = ["TRIES", "Body", "Endpoint", "Event", "Request", "Response", "Transport", "origin_of", "retry_after"]
