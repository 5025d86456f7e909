"""A token service that signs with RS256: https://distribution.github.io/distribution/spec/auth/token/."""

from __future__ import annotations

import base64
import datetime
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

REFRESH_TOKEN = "refresh-me-5f1c"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Asked:
    """A request that the service got."""

    method: str
    query: dict[str, list[str]]
    authorization: str | None
    form: dict[str, list[str]]


@dataclass
class TokenService:
    """Gives all rights to its users, and the right to pull from ``public/*`` to everybody."""

    users: dict[str, str]
    service: str = "test registry"
    issuer: str = "test issuer"
    realm: str = ""
    lasts: int | None = 300
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM)
        self._chain = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()

    def sign(self, user: str, access: dict[str, list[str]]) -> str:
        """Make a token that allows actions on repositories."""
        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._chain]}
        claims = {
            "iss": self.issuer,
            "sub": user,
            "aud": self.service,
            "exp": now + 300,
            "nbf": now - 10,
            "iat": now,
            "jti": str(time.monotonic_ns()),
            "access": [{"type": "repository", "name": name, "actions": actions} for name, actions in access.items()],
        }
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"

    def user_of(self, asked: Asked) -> str | None:
        """Give the user; empty for nobody in particular, None where what was shown is wrong."""
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
        return 200, answer


@contextmanager
def run_token_service(users: dict[str, str]) -> Iterator[TokenService]:
    """Serve tokens on loopback until the block ends."""
    service = TokenService(users)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(parse_qs(body.decode()))

        def _answer(self, form: dict[str, list[str]]) -> None:
            query = parse_qs(urlsplit(self.path).query)
            status, answer = service.answer(Asked(self.command, query, self.headers["Authorization"], form))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.realm = f"http://127.0.0.1:{server.server_address[1]}/token?opaque=kept%2Fas-is"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
