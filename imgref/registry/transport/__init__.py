"""HTTP for registries, on urllib3; nothing else in imgref opens a connection.

- :mod:`imgref.registry.transport.sender`: retries, redirects, and which connection is allowed
- :mod:`imgref.registry.transport.messages`: bodies, answers, events
- :mod:`imgref.registry.transport.pools`: TLS, CAs and proxies
- :mod:`imgref.registry.transport.addresses`: addresses, compared and shown
- :mod:`imgref.registry.transport.failures`: what went wrong, in words
"""

from __future__ import annotations

from imgref.registry.transport.addresses import origin_of
from imgref.registry.transport.messages import Body, Endpoint, Event, Response, retry_after
from imgref.registry.transport.sender import TRIES, Transport

__all__ = ["TRIES", "Body", "Endpoint", "Event", "Response", "Transport", "origin_of", "retry_after"]
