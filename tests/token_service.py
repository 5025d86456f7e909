"""A token service on loopback: https://distribution.github.io/distribution/spec/auth/token/."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from faults import Answer, Exchange, FaultyServer, serve

REFRESH_TOKEN = "refresh-me-5f1c"


@dataclass
class Asked:
    """A request that the service received."""

    method: str
    query: dict[str, list[str]]
    authorization: str | None
    form: dict[str, list[str]]


@dataclass
class TokenService(FaultyServer):
    """Grants all rights to its users, and the right to pull from ``public/*`` to everybody.

    Attributes:
        users: the password of each user.
        service: the name that requests must repeat.
        realm: the URL of the service, with a query that must be kept as it is.
        lasts: seconds that a token is said to be valid, or None to leave that open.
        fields: values of the answer that replace the proper ones.
    """

    users: dict[str, str] = field(default_factory=dict)
    service: str = "test registry"
    realm: str = ""
    lasts: int | None = 300
    fields: dict[str, object] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def sign(self, user: str, access: dict[str, list[str]]) -> str:
        """Return a token that allows actions on repositories."""
        raise NotImplementedError

    def user_of(self, asked: Asked) -> str | None:
        """Return the user: empty if there are no credentials, None if they are wrong."""
        if "refresh_token" in asked.form:
            return next(iter(self.users)) if asked.form["refresh_token"] == [REFRESH_TOKEN] else None
        if asked.authorization is None:
            return ""
        user, _, password = base64.b64decode(asked.authorization.removeprefix("Basic ")).decode().partition(":")
        return user if self.users.get(user) == password else None

    def answer(self, asked: Asked) -> tuple[int, dict[str, object]]:
        self.asked.append(asked)
        user = self.user_of(asked)
        if user is None:
            return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]}
        scopes = asked.query.get("scope", []) + " ".join(asked.form.get("scope", [])).split()
        access = {}
        for scope in scopes:
            _, name, actions = scope.split(":")
            allowed = actions.split(",") if user else ["pull"] if name.startswith("public/") else []
            if allowed:
                access[name] = allowed
        token = self.sign(user, access)
        answer: dict[str, object] = {"access_token" if asked.method == "POST" else "token": token}
        if self.lasts is not None:
            answer["expires_in"] = self.lasts
        return 200, {**answer, **self.fields}


class _Request(Exchange):
    def ask(self, path: str | None = None) -> Answer:
        assert isinstance(self.state, TokenService)
        form = parse_qs(b"".join(self.body()).decode())
        query = parse_qs(urlsplit(path or self.path).query)
        status, answer = self.state.answer(Asked(self.command, query, self.headers["Authorization"], form))
        return Answer(status, [("Content-Type", "application/json")], json.dumps(answer).encode())


_Service = TypeVar("_Service", bound=TokenService)


@contextmanager
def serve_tokens(service: _Service, context: ssl.SSLContext | None = None) -> Iterator[_Service]:
    """Serve tokens on loopback until the block ends; with a context the service speaks TLS."""

    class Handler(_Request):
        state = service

    with serve(Handler, context) as service.host:
        service.realm = f"{'https' if context else 'http'}://{service.host}/token?opaque=kept%2Fas-is"
        yield service
