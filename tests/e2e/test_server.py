"""The registry in process, held to docker-registry: the same conversation with both gets the same answers."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from e2e.images import OCI, digest_of
from e2e.servers import PASSWORD, USER, Registry
from registry.server import OpaqueTokens, run_server
from token_service import TokenService, serve_tokens

pytestmark = pytest.mark.e2e

HEADERS = ("content-type", "docker-content-digest", "www-authenticate", "content-range", "range", "location")


@dataclass
class Answered:
    """What is the same of two answers that say the same."""

    status: int
    headers: dict[str, str]
    body: object


class Speaker:
    """Sends requests to a registry, and reads its answers without what differs from one registry to another."""

    def __init__(self, host: str, authorization: str = "", realm: str = "") -> None:
        self._host = host
        self._authorization = authorization
        self._realm = realm

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[Answered, Mapping[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._authorization:
            sent["Authorization"] = self._authorization
        connection = http.client.HTTPConnection(self._host, timeout=20)
        connection.request(method, path, body or None, sent)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        try:
            content = answer.read()
        except http.client.IncompleteRead as error:
            # docker-registry announces the size of the blob with a 416, and sends nothing.
            content = error.partial
        answer.close()
        connection.close()
        kept = {name: self._plain(found[name]) for name in HEADERS if name in found}
        if method == "HEAD" and answer.status == 200:
            kept["content-length"] = found["content-length"]
        return Answered(answer.status, kept, said(content)), found

    def _plain(self, text: str) -> str:
        text = text.replace(self._host, "HOST")
        if self._realm:
            text = text.replace(self._realm, "REALM")
        return re.sub(r"uploads/[0-9a-f-]{36}\?_state=.*", "uploads/UPLOAD", text)


def said(body: bytes) -> object:
    """Return the body: of errors, their code and message; of tags, their order does not matter."""
    try:
        data = json.loads(body)
    except ValueError:
        return body
    if isinstance(data, dict) and "errors" in data:
        return [(error["code"], error["message"]) for error in data["errors"]]
    if isinstance(data, dict) and "tags" in data:
        return {**data, "tags": sorted(data["tags"] or ())}
    return body


HELLO = digest_of(b"hello")
ABSENT = digest_of(b"absent")
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI["manifest"],
        "config": {"mediaType": OCI["config"], "digest": HELLO, "size": 5},
        "layers": [],
    }
).encode()
INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI["index"],
        "manifests": [{"mediaType": OCI["manifest"], "digest": digest_of(MANIFEST), "size": len(MANIFEST)}],
    }
).encode()
BOTH = f"{OCI['manifest']}, {OCI['index']}"


def conversation(speaker: Speaker, base: str) -> Iterator[tuple[str, Answered]]:
    """Yield each request of a long conversation with its answer."""

    def ask(method: str, path: str, body: bytes = b"", **headers: str) -> tuple[str, Answered]:
        return f"{method} {path}", speaker.ask(method, f"/v2/{path.replace('BASE', base)}", body, **headers)[0]

    def upload(repository: str) -> str:
        found = speaker.ask("POST", f"/v2/{base}/{repository}/blobs/uploads/")[1]["location"]
        return found[found.index("/v2/") + 4 :]

    def finish(location: str, digest: str, body: bytes) -> tuple[str, Answered]:
        name, answer = ask("PUT", f"{location}&digest={digest}", body, Content_Type="application/octet-stream")
        return f"{name.partition(' ')[0]} upload", answer

    yield ask("GET", "")
    yield from (ask("GET", "BASE/a/tags/list"), ask("GET", "BASE/a/manifests/1"), ask("HEAD", "BASE/a/manifests/1"))
    yield from (ask("HEAD", f"BASE/a/blobs/{HELLO}"), ask("GET", f"BASE/a/blobs/{HELLO}"))
    yield from (ask("GET", "BASE/a/blobs/sha256:12"), ask("GET", "BASE/A/tags/list"), ask("GET", "BASE/a/other"))
    # Uploads: in one piece, in pieces, damaged, abandoned, mounted.
    yield ask("POST", "BASE/a/blobs/uploads/")
    yield finish(upload("a"), ABSENT, b"hello")
    yield finish(upload("a"), HELLO, b"hello")
    location = upload("a")
    found, headers = speaker.ask("PATCH", f"/v2/{location}", b"wor", Content_Type="application/octet-stream")
    yield "PATCH", found
    yield finish(location, digest_of(b"world"), b"ld")
    moved = headers["location"]
    yield finish(moved[moved.index("/v2/") + 4 :], digest_of(b"world"), b"ld")
    location = upload("a")
    yield from (("DELETE upload", speaker.ask("DELETE", f"/v2/{location}")[0]) for _ in range(2))
    yield finish(location, HELLO, b"hello")
    yield ask("POST", f"BASE/b/blobs/uploads/?mount={HELLO}&from={base}/a")
    yield ask("POST", f"BASE/b/blobs/uploads/?mount={ABSENT}&from={base}/a")
    yield ask("GET", "BASE/b/tags/list")
    # Blobs, also in part.
    yield from (ask(method, f"BASE/{name}/blobs/{HELLO}") for method in ("HEAD", "GET") for name in ("a", "b"))
    yield from (ask("GET", f"BASE/a/blobs/{HELLO}", Range=f"bytes={part}") for part in ("2-", "1-2", "0-9", "9-"))
    # Manifests and indexes.
    yield ask("PUT", "BASE/a/manifests/1", b"{", Content_Type=OCI["manifest"])
    yield ask("PUT", "BASE/a/manifests/1", MANIFEST, Content_Type="text/plain")
    yield ask("PUT", "BASE/a/manifests/1", MANIFEST.replace(HELLO.encode(), ABSENT.encode()), Content_Type=BOTH[:41])
    yield ask("PUT", f"BASE/a/manifests/{HELLO}", MANIFEST, Content_Type=OCI["manifest"])
    yield ask("PUT", "BASE/a/manifests/i", INDEX, Content_Type=OCI["index"])
    for point in ("1", "2", digest_of(MANIFEST)):
        yield ask("PUT", f"BASE/a/manifests/{point}", MANIFEST, Content_Type=OCI["manifest"])
    yield ask("PUT", "BASE/a/manifests/i", INDEX, Content_Type=OCI["index"])
    for point in ("1", "i", "none", digest_of(MANIFEST), digest_of(INDEX), ABSENT):
        for method in ("HEAD", "GET"):
            yield ask(method, f"BASE/a/manifests/{point}", Accept=BOTH)
    yield ask("HEAD", "BASE/a/manifests/1", Accept="text/plain")
    yield from (ask("GET", f"BASE/a/tags/list{query}") for query in ("", "?n=1000"))
    # What is deleted is gone.
    yield ask("DELETE", "BASE/a/manifests/1")
    for digest in (digest_of(MANIFEST), digest_of(INDEX)):
        yield from (ask("DELETE", f"BASE/a/manifests/{digest}") for _ in range(2))
    yield from (ask("GET", "BASE/a/tags/list"), ask("HEAD", "BASE/a/manifests/1", Accept=BOTH))
    yield from (ask("DELETE", f"BASE/a/blobs/{HELLO}") for _ in range(2))
    yield from (ask("HEAD", f"BASE/a/blobs/{HELLO}"), ask("HEAD", f"BASE/b/blobs/{HELLO}"))
    yield from (ask("PUT", "BASE/a/tags/list"), ask("POST", "BASE/a/manifests/1"))


def compare(ours: Iterator[tuple[str, Answered]], theirs: Iterator[tuple[str, Answered]]) -> None:
    for (request, our), (same, their) in zip(ours, theirs, strict=True):
        assert request == same
        if request.startswith("HEAD") and our.status == 404:
            # No body to describe.
            our.headers.pop("content-type", None), their.headers.pop("content-type", None)
        assert our == their, request


def test_server_in_process_answers_as_docker_registry_does(plain: Registry) -> None:
    with run_server() as server:
        compare(conversation(Speaker(server.host), "same"), conversation(Speaker(plain.host), "same"))


@pytest.mark.parametrize("shown", ["", f"{USER}:{PASSWORD}", f"{USER}:wrong"])
def test_server_in_process_with_users_answers_as_docker_registry_does(shown: str, htpasswd: Registry) -> None:
    header = "Basic " + base64.b64encode(shown.encode()).decode() if shown else ""
    with run_server() as server:
        server.users = {USER: PASSWORD}
        ours, theirs = Speaker(server.host, header), Speaker(htpasswd.host, header)
        for path in ("/v2/", "/v2/users/app/tags/list"):
            assert ours.ask("GET", path)[0] == theirs.ask("GET", path)[0]


ACCESS: list[dict[str, list[str]] | None] = [
    None,
    {},
    {"tokens/app": ["pull"]},
    {"tokens/app": ["pull", "push"]},
    {"tokens/app": ["pull", "push"], "tokens/base": ["pull"]},
    {"tokens/app": ["delete"]},
]


@pytest.mark.parametrize("access", ACCESS, ids=str)
def test_server_in_process_with_tokens_answers_as_docker_registry_does(
    access: dict[str, list[str]] | None, token: Registry
) -> None:
    assert token.tokens is not None
    requests = [
        ("GET", ""),
        ("GET", "tokens/app/tags/list"),
        ("HEAD", f"tokens/app/blobs/{HELLO}"),
        ("POST", "tokens/app/blobs/uploads/"),
        ("POST", f"tokens/app/blobs/uploads/?mount={HELLO}&from=tokens/base"),
        ("DELETE", f"tokens/app/blobs/{HELLO}"),
    ]
    with serve_tokens(OpaqueTokens(users={USER: PASSWORD})) as tokens, run_server() as server:
        server.tokens = tokens

        def speaker(host: str, service: TokenService) -> Speaker:
            shown = "" if access is None else f"Bearer {service.sign(USER, access)}"
            return Speaker(host, shown, service.realm)

        ours, theirs = speaker(server.host, tokens), speaker(token.host, token.tokens)
        for method, path in requests:
            our, their = (side.ask(method, f"/v2/{path}")[0] for side in (ours, theirs))
            if method == "HEAD":
                our.body = their.body = b""
            # The order of scopes and of their actions is not fixed.
            assert words(our) == words(their), path


def words(answer: Answered) -> tuple[object, ...]:
    challenge = re.split(r'[",: ]', answer.headers.pop("www-authenticate", ""))
    return answer.status, sorted(challenge), answer.headers, answer.body
