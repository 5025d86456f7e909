"""A token service that signs with RS256, as the registry requires."""

from __future__ import annotations

import base64
import datetime
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from token_service import REFRESH_TOKEN, serve_tokens
from token_service import TokenService as AnyTokenService

__all__ = ["REFRESH_TOKEN", "TokenService", "run_token_service"]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class TokenService(AnyTokenService):
    """A token service whose certificate a registry can trust."""

    issuer: str = "test issuer"

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


@contextmanager
def run_token_service(users: dict[str, str]) -> Iterator[TokenService]:
    """Serve tokens on loopback until the block ends."""
    with serve_tokens(TokenService(users=users)) as service:
        yield service
