"""A registry in process: the distribution API over real sockets, which shows the faults that a test asks for.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md. tests/e2e/test_server.py runs one conversation
with this registry and with docker-registry, and compares the answers.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

from faults import Answer, Exchange, FaultyServer, serve
from token_service import TokenService

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
MANIFESTS = frozenset(
    {
        OCI_INDEX,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)

_NAME = "[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*"
_POINT = r"\w[\w.-]{0,127}|[a-z0-9]+:[0-9a-f]{64,}"
_ROUTES = {
    "base": "/v2/",
    "tags": f"/v2/({_NAME})/tags/list",
    "manifest": f"/v2/({_NAME})/manifests/({_POINT})",
    "begin": f"/v2/({_NAME})/blobs/uploads/",
    "upload": f"/v2/({_NAME})/blobs/uploads/([0-9a-f-]+)",
    "blob": f"/v2/({_NAME})/blobs/([a-z0-9]+:[0-9a-f]+)",
    "referrers": f"/v2/({_NAME})/referrers/([a-z0-9]+:[0-9a-f]+)",
}
_JSON = "application/json; charset=utf-8"


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


@dataclass
class Repository:
    """The content of a repository: blobs and manifests by digest, a manifest with its media type; tags.

    It is known once it has a manifest, even if that is deleted later.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    known: bool = False


@dataclass
class Call:
    """A request as the handlers below receive it."""

    method: str
    host: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    name: str = ""
    point: str = ""


class Refused(Exception):
    """A request that fails, and the answer that says so."""

    def __init__(self, status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.answer = answer_of(status, body, *headers, kind=_JSON)


def answer_of(status: int, body: bytes = b"", *headers: tuple[str, str], kind: str = "") -> Answer:
    typed = [("Content-Type", kind)] if kind else []
    sized = [] if status == 204 else [("Content-Length", str(len(body)))]
    return Answer(status, [*typed, *sized, ("Docker-Distribution-Api-Version", "registry/2.0"), *headers], body)


@dataclass
class OpaqueTokens(TokenService):
    """A token service whose tokens mean nothing to others."""

    issued: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def sign(self, user: str, access: dict[str, list[str]]) -> str:
        token = f"token-{len(self.asked)}-of-{user}"
        self.issued[token] = access
        return token


@dataclass
class RegistryServer(FaultyServer):
    """A registry, with its content and its settings.

    Attributes:
        users: the password of each user; empty for a registry that needs none.
        tokens: the token service whose tokens it takes.
        page: the largest page of tags and referrers, or 0 for no pages.
        referrers: whether it lists referrers.
        mounts: whether it mounts blobs from other repositories.
    """

    scheme: str = "http"
    users: dict[str, str] = field(default_factory=dict)
    tokens: OpaqueTokens | None = None
    page: int = 0
    referrers: bool = True
    mounts: bool = True
    repositories: dict[str, Repository] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    content_lock: threading.RLock = field(default_factory=threading.RLock)

    # For tests

    def put_blob(self, path: str, data: bytes) -> str:
        digest = digest_of(data)
        self.repositories.setdefault(path, Repository()).blobs[digest] = data
        return digest

    def put_manifest(self, path: str, point: str, raw: bytes, media_type: str) -> None:
        repository = self.repositories.setdefault(path, Repository())
        digest = digest_of(raw, point.partition(":")[0] if ":" in point else "sha256")
        repository.manifests[digest], repository.known = (media_type, raw), True
        if ":" not in point:
            repository.tags[point] = digest

    def tags_of(self, path: str) -> dict[str, str]:
        with self.content_lock:
            found = self.repositories.get(path)
            return {} if found is None else dict(found.tags)

    def raw_manifest(self, path: str, tag: str) -> bytes:
        repository = self.repositories[path]
        return repository.manifests[repository.tags[tag]][1]

    # Requests

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return the proper answer to a request; the target may be absolute, as for a proxy."""
        parts = urlsplit(target)
        call = Call(method, headers["Host"], parts.path, parse_qs(parts.query), headers, body)
        for kind, pattern in _ROUTES.items():
            found = re.fullmatch(pattern, parts.path, re.ASCII)
            if found is None:
                continue
            call.name, call.point = (*found.groups(), "", "")[:2]
            handler: Callable[[Call], Answer] | None = getattr(self, f"_{kind}_{_verb(method)}", None)
            if handler is None:
                return answer_of(405, b"Method not allowed\n", kind="text/plain; charset=utf-8")
            with self.content_lock:
                try:
                    self._authorize(call)
                    return handler(call)
                except Refused as refused:
                    return refused.answer
        return answer_of(404, b"404 page not found\n", kind="text/plain; charset=utf-8")

    def _authorize(self, call: Call) -> None:
        shown = call.headers.get("Authorization") or ""
        if self.tokens is not None:
            self._check_token(self.tokens, call, shown)
        elif self.users:
            allowed = [f"{user}:{password}".encode() for user, password in self.users.items()]
            if shown not in ["Basic " + base64.b64encode(pair).decode() for pair in allowed]:
                challenge = ("WWW-Authenticate", 'Basic realm="test"')
                raise Refused(401, "UNAUTHORIZED", "authentication required", (challenge,))

    def _check_token(self, tokens: OpaqueTokens, call: Call, shown: str) -> None:
        actions = {"GET": ["pull"], "HEAD": ["pull"], "DELETE": ["delete"]}.get(call.method, ["pull", "push"])
        needed = {call.name: actions} if call.name else {}
        if "mount" in call.query and "from" in call.query:
            needed[call.query["from"][0]] = ["pull"]
        access = tokens.issued.get(shown.removeprefix("Bearer "))
        if access is not None and all(set(needed[name]) <= set(access.get(name, [])) for name in needed):
            return
        challenge = f'Bearer realm="{tokens.realm}",service="{tokens.service}"'
        if needed:
            scopes = " ".join(f"repository:{name}:{','.join(actions)}" for name, actions in needed.items())
            challenge += f',scope="{scopes}"'
        if shown:
            challenge += f',error="{"invalid_token" if access is None else "insufficient_scope"}"'
        raise Refused(401, "UNAUTHORIZED", "authentication required", (("WWW-Authenticate", challenge),))

    def _base_get(self, _: Call) -> Answer:
        return answer_of(200, b"{}", kind=_JSON)

    # Tags and referrers

    def _tags_get(self, call: Call) -> Answer:
        found = self.repositories.get(call.name)
        if found is None or not found.known:
            raise Refused(404, "NAME_UNKNOWN", "repository name not known to registry")
        names, link = self._paged(call, sorted(found.tags))
        body = json.dumps({"name": call.name, "tags": names or None}).encode()
        return answer_of(200, body, *link, kind=_JSON)

    def _referrers_get(self, call: Call) -> Answer:
        if not self.referrers:
            return answer_of(404, b"404 page not found\n", kind="text/plain; charset=utf-8")
        found = self.repositories.get(call.name, Repository()).manifests
        referring = {
            digest: _descriptor(kind, digest, raw)
            for digest, (kind, raw) in found.items()
            if (json.loads(raw).get("subject") or {}).get("digest") == call.point
        }
        names, link = self._paged(call, sorted(referring))
        manifests = [referring[name] for name in names]
        body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()
        return answer_of(200, body, *link, kind=OCI_INDEX)

    def _paged(self, call: Call, names: list[str]) -> tuple[list[str], tuple[tuple[str, str], ...]]:
        last = call.query.get("last", [""])[0]
        asked = call.query.get("n", [""])[0]
        sizes = [size for size in (self.page, int(asked) if asked.isdecimal() else 0) if size]
        rest = [name for name in names if name > last]
        if not sizes or len(rest) <= min(sizes):
            return rest, ()
        page = rest[: min(sizes)]
        return page, (("Link", f'<{call.path}?last={quote(page[-1])}&n={min(sizes)}>; rel="next"'),)

    # Manifests

    def _manifest_get(self, call: Call) -> Answer:
        repository = self.repositories.get(call.name, Repository())
        digest = call.point if ":" in call.point else repository.tags.get(call.point, "")
        found = repository.manifests.get(digest)
        if found is None or (found[0] not in str(call.headers.get("Accept", "")) and ".oci." in found[0]):
            raise Refused(404, "MANIFEST_UNKNOWN", "manifest unknown")
        known = (("Docker-Content-Digest", digest), ("Etag", f'"{digest}"'))
        return answer_of(200, found[1], *known, kind=found[0])

    def _manifest_put(self, call: Call) -> Answer:
        kind = str(call.headers.get("Content-Type", ""))
        try:
            data = json.loads(call.body)
        except ValueError:
            data = None
        if not isinstance(data, dict) or kind not in MANIFESTS:
            raise Refused(400, "MANIFEST_INVALID", "manifest invalid")
        digest = digest_of(call.body, call.point.partition(":")[0] if ":" in call.point else "sha256")
        if ":" in call.point and digest != call.point:
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        repository = self.repositories.setdefault(call.name, Repository())
        for part in (data.get("config"), *data.get("layers", []), *data.get("manifests", [])):
            known = repository.manifests if "manifests" in data else repository.blobs
            if part and not part.get("urls") and part["digest"] not in known:
                raise Refused(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
        self.put_manifest(call.name, call.point, call.body, kind)
        subject = data.get("subject")
        marks = (("OCI-Subject", subject["digest"]),) if subject and self.referrers else ()
        location = f"{self._origin(call)}/v2/{call.name}/manifests/{digest}"
        return answer_of(201, b"", ("Docker-Content-Digest", digest), ("Location", location), *marks)

    def _manifest_delete(self, call: Call) -> Answer:
        repository = self.repositories.get(call.name, Repository())
        if ":" not in call.point:
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        if repository.manifests.pop(call.point, None) is None:
            raise Refused(404, "MANIFEST_UNKNOWN", "manifest unknown")
        repository.tags = {tag: digest for tag, digest in repository.tags.items() if digest != call.point}
        return answer_of(202)

    # Blobs

    def _blob_get(self, call: Call) -> Answer:
        if len(call.point) < 64:
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        data = self.repositories.get(call.name, Repository()).blobs.get(call.point)
        if data is None:
            raise Refused(404, "BLOB_UNKNOWN", "blob unknown to registry")
        known = (("Docker-Content-Digest", call.point), ("Etag", f'"{call.point}"'), ("Accept-Ranges", "bytes"))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", str(call.headers.get("Range") or ""))
        if asked is None:
            return answer_of(200, data, *known, kind="application/octet-stream")
        start, end = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
        if start >= len(data):
            part = ("Content-Range", f"bytes */{len(data)}")
            return answer_of(416, b"", part, *known[:2], kind="text/plain; charset=utf-8")
        part = ("Content-Range", f"bytes {start}-{end}/{len(data)}")
        return answer_of(206, data[start : end + 1], part, *known, kind="application/octet-stream")

    def _blob_delete(self, call: Call) -> Answer:
        if self.repositories.get(call.name, Repository()).blobs.pop(call.point, None) is None:
            raise Refused(404, "BLOB_UNKNOWN", "blob unknown to registry")
        return answer_of(202)

    def _begin_post(self, call: Call) -> Answer:
        mount, source = call.query.get("mount", [""])[0], call.query.get("from", [""])[0]
        data = self.repositories.get(source, Repository()).blobs.get(mount)
        if data is not None and self.mounts:
            return self._created(call, mount, data)
        return self._accepted(call, str(uuid.uuid4()), b"")

    def _upload_patch(self, call: Call) -> Answer:
        return self._accepted(call, call.point, self._upload_of(call) + call.body)

    def _upload_put(self, call: Call) -> Answer:
        data = self._upload_of(call) + call.body
        digest = call.query.get("digest", [""])[0]
        if not digest or digest_of(data, digest.partition(":")[0]) != digest:
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        del self.uploads[call.point]
        return self._created(call, digest, data)

    def _upload_delete(self, call: Call) -> Answer:
        self._upload_of(call)
        del self.uploads[call.point]
        return answer_of(204)

    def _upload_of(self, call: Call) -> bytes:
        data = self.uploads.get(call.point)
        if data is None:
            raise Refused(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if call.query.get("_state") != [f"{len(data)}/=+"]:
            raise Refused(404, "BLOB_UPLOAD_INVALID", "blob upload invalid")
        return data

    def _accepted(self, call: Call, upload: str, data: bytes) -> Answer:
        self.uploads[upload] = data
        # An opaque state, which only a client that keeps the query as it is can send back.
        location = f"{self._origin(call)}/v2/{call.name}/blobs/uploads/{upload}?_state={len(data)}%2F%3D%2B"
        reached = ("Range", f"0-{max(0, len(data) - 1)}")
        return answer_of(202, b"", ("Location", location), reached, ("Docker-Upload-Uuid", upload))

    def _created(self, call: Call, digest: str, data: bytes) -> Answer:
        self.repositories.setdefault(call.name, Repository()).blobs[digest] = data
        location = f"{self._origin(call)}/v2/{call.name}/blobs/{digest}"
        return answer_of(201, b"", ("Docker-Content-Digest", digest), ("Location", location))

    def _origin(self, call: Call) -> str:
        return f"{self.scheme}://{call.host}"


def _verb(method: str) -> str:
    return "get" if method == "HEAD" else method.lower()


def _descriptor(kind: str, digest: str, raw: bytes) -> dict[str, object]:
    data = json.loads(raw)
    said: dict[str, object] = {"mediaType": kind, "digest": digest, "size": len(raw)}
    return said | {key: data[key] for key in ("artifactType", "annotations") if key in data}


class _Request(Exchange):
    def ask(self, path: str | None = None) -> Answer:
        assert isinstance(self.state, RegistryServer)
        return self.state.answer(self.command, path or self.path, self.headers, b"".join(self.body()))  # type: ignore[arg-type]


@contextmanager
def run_server(server: RegistryServer | None = None, context: ssl.SSLContext | None = None) -> Iterator[RegistryServer]:
    """Run a registry on loopback until the block ends; with a context it speaks TLS."""
    server = server or RegistryServer()

    class Handler(_Request):
        pass

    Handler.state = server

    if context is not None:
        server.scheme = "https"
    with serve(Handler, context) as server.host:
        yield server
