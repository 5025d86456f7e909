"""Real registries for tests, on loopback: plain, with htpasswd, with TLS, and with a token service."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from isolation.environment import require as require

from imgref.hosts import DOCKER_HUB_SERVER

if TYPE_CHECKING:
    import trustme
    from e2e.token_service import TokenService

USER, PASSWORD = "ada", "s3cret-p:w"
HTPASSWD = f"{USER}:$2b$04$LeWs9.0W.JZAD3Ba5hJ8Qub821UzJmWe9eDH5DXbqDv3m02zycTCC\n"
"""PASSWORD by bcrypt, the only hash that the registry takes."""

NAME = "registry.test"
"""A name that is not loopback, for which the TLS registry has a certificate; a proxy leads to it."""


@dataclass
class Registry:
    """A registry that runs."""

    host: str
    kind: str
    ca: Path | None = None
    tokens: TokenService | None = None
    log: Path = field(default=Path())

    @property
    def credentials(self) -> tuple[str, str] | None:
        return (USER, PASSWORD) if self.kind in ("htpasswd", "token") else None

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Ask the registry without imgref; with credentials where it wants them."""
        sent = dict(headers or {})
        if self.kind == "htpasswd":
            sent["Authorization"] = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.tokens is not None:
            repository = path.removeprefix("/v2/").rpartition("/manifests/")[0]
            repository = repository or path.removeprefix("/v2/").partition("/blobs/")[0].partition("/tags/")[0]
            sent["Authorization"] = f"Bearer {self.tokens.sign(USER, {repository: ['pull', 'push', 'delete']})}"
        connection = self._connection()
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, _, port = self.host.partition(":")
        if self.ca is None:
            return http.client.HTTPConnection(host, int(port), timeout=20)
        return http.client.HTTPSConnection(
            host, int(port), timeout=20, context=ssl.create_default_context(cafile=str(self.ca))
        )

    def put_blob(self, path: str, data: bytes) -> str:
        """Put a blob into a repository; gives its digest."""
        from e2e.images import digest_of

        status, headers, body = self.request("POST", f"/v2/{path}/blobs/uploads/")
        assert status == 202, body
        location = headers["location"]
        target = location[location.index("/v2/") :]
        digest = digest_of(data)
        status, _, body = self.request("PUT", f"{target}&digest={digest}", data)
        assert status == 201, body
        return digest

    def put_manifest(self, path: str, point: str, raw: bytes, media_type: str) -> None:
        status, _, body = self.request("PUT", f"/v2/{path}/manifests/{point}", raw, {"Content-Type": media_type})
        assert status == 201, body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_registry(
    directory: Path,
    kind: str = "plain",
    ca: trustme.CA | None = None,
    tokens: TokenService | None = None,
    *,
    read_only: bool = False,
    deletes: bool = True,
    port: int = 0,
    proxied: str = "",
    client_certificates: bool = False,
    in_memory: bool = False,
) -> Iterator[Registry]:
    """Run Debian's docker-registry until the block ends; with ``proxied``, as a pull-through cache of that host.

    With ``client_certificates``, it requires a certificate of ``ca`` from its clients. With ``in_memory``, it takes a
    tenth of the time, since it does not wait for the disk after each write; tests that look at its files need those.
    """
    program = require("docker-registry")
    port = port or free_port()
    settings: dict[str, object] = {
        "version": 0.1,
        "storage": {
            **({"inmemory": {}} if in_memory else {"filesystem": {"rootdirectory": str(directory / "data")}}),
            "delete": {"enabled": deletes},
            "maintenance": {"uploadpurging": {"enabled": False}, "readonly": {"enabled": read_only}},
        },
        "http": {"addr": f"127.0.0.1:{port}", "secret": "test"},
    }
    if proxied:
        settings["proxy"] = {"remoteurl": f"http://{proxied}"}
    registry = Registry(f"127.0.0.1:{port}", kind, tokens=tokens, log=directory / "registry.log")
    if kind == "htpasswd":
        (directory / "htpasswd").write_text(HTPASSWD)
        settings["auth"] = {"htpasswd": {"realm": "test", "path": str(directory / "htpasswd")}}
    if kind == "tls":
        assert ca is not None
        registry.ca = directory / "ca.pem"
        ca.cert_pem.write_to_path(registry.ca)
        leaf = ca.issue_cert("127.0.0.1", "localhost", NAME, DOCKER_HUB_SERVER)
        (directory / "chain.pem").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(directory / "key.pem")
        tls: dict[str, object] = {"certificate": str(directory / "chain.pem"), "key": str(directory / "key.pem")}
        if client_certificates:
            tls["clientcas"] = [str(registry.ca)]
        settings["http"] = {"addr": f"127.0.0.1:{port}", "secret": "test", "tls": tls}
    if tokens is not None:
        (directory / "tokens.pem").write_bytes(tokens.certificate)
        settings["auth"] = {
            "token": {
                "realm": tokens.realm,
                "service": tokens.service,
                "issuer": tokens.issuer,
                "rootcertbundle": str(directory / "tokens.pem"),
            }
        }
    # JSON is YAML.
    (directory / "config.yml").write_text(json.dumps(settings))
    with registry.log.open("wb") as log:
        process = subprocess.Popen([program, "serve", str(directory / "config.yml")], stdout=log, stderr=log)
        try:
            _wait_for(process, port, registry.log)
            yield registry
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            pytest.fail(f"docker-registry ended: {log.read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("docker-registry does not listen")
