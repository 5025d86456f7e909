"""A credential, and the error of a registry that does not accept one."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Literal

from imgref.errors import AuthenticationError

__all__ = ["Credential", "Kind", "refused"]

Kind = Literal["password", "identity-token", "registry-token"]


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name and its secret.

    Attributes:
        username: who it is for.
        secret: the password or token.
        kind: ``password``; ``identity-token``, which a token service exchanges; or ``registry-token``, which is
            sent to the registry as it is.
        source: where it was found, for messages.

    >>> Credential("ada", "s3cret")
    Credential(username='ada', kind='password', source='')
    """

    username: str
    secret: str = field(repr=False)
    kind: Kind = "password"
    source: str = ""

    def basic(self) -> str:
        """Return the value of an ``Authorization`` header, as `RFC 7617 <https://www.rfc-editor.org/rfc/rfc7617>`_."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.secret}".encode()).decode()


def refused(credential: Credential | None, registry: str, about: str) -> AuthenticationError:
    """Return the error that a registry rejects a credential, or requires one."""
    host = registry if about == registry else f"{about}: {registry}"
    if credential is None:
        return AuthenticationError(
            f"{host} requires authentication; imgref login {registry} stores credentials", status=401
        )
    reason = f"{host} does not accept the credentials of {credential.username!r} (from {credential.source})"
    return AuthenticationError(reason, status=401)
