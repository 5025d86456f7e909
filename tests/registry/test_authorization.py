"""How registries ask for credentials, and what they are shown: the header as RFC 9110 has it, and the wire."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from e2e.images import put_image
from faults import Action, Exchange, header, html, redirect, status
from registry.kit import ALWAYS, PASSWORD, USER, Clock, Connect, app, insecure, named
from registry.server import OpaqueTokens, RegistryServer
from tables import each
from token_service import REFRESH_TOKEN, serve_tokens

from imgref.errors import AuthenticationError, RateLimited, RegistryError, RegistryUnavailable
from imgref.reference import parse
from imgref.registry.authorization import Access, Authenticator
from imgref.registry.credentials import Credential, Credentials
from imgref.registry.hosts import Hosts, InsecureHost, Trust
from imgref.registry.threads import run_all
from imgref.registry.transport import Endpoint, Event, Request, Transport, origin_of, retry_after

BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def test_retry_after() -> None:
    assert retry_after("7") == 7.0
    assert retry_after(" 0 ") == 0.0
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))
    assert 85 < (retry_after(later) or 0) <= 90
    for nothing in ("", "-1", "soon", "1e9", "9" * 400, "٣"):
        assert retry_after(nothing) is None


def test_origins() -> None:
    assert origin_of("https://a.example/x?y") == "https://a.example:443"
    assert origin_of("http://[::1]:5000/") == "http://[::1]:5000"
    assert origin_of("https://a.example") != origin_of("http://a.example")
    assert origin_of("https://a.example:5001") != origin_of("https://a.example:9999")


DECLARED = ("insecure.example:5000", "insecure.example:5001", "other.example:5000", "insecure.example")
HTTPS, HTTP, UNVERIFIED = "verified https", "http", "unverified https"

# Each row: how the registry was reached, the registry, the realm, and what the reason to withhold contains ("": sent).
REALMS = [
    # A registry over verified https may name any service over verified https, and itself.
    (HTTPS, "registry.example", "https://registry.example/token", ""),
    (HTTPS, "registry.example", "https://auth.example/token", ""),
    (HTTPS, "registry.example", "https://other.example:5000/token", ""),
    (HTTPS, "registry.example", "https://localhost:5000/token", "not reached over verified https"),
    (HTTPS, "registry.example", "http://registry.example/token", "would be over plain http"),
    (HTTPS, "registry.example", "http://other.example:5000/token", "would be over plain http"),
    # One that is configured as insecure may name itself, also on another port that is configured, but nobody else.
    (HTTP, "insecure.example:5000", "http://insecure.example:5000/token", ""),
    (HTTP, "insecure.example:5000", "http://insecure.example:5001/token", ""),
    (HTTP, "insecure.example:5000", "http://other.example:5000/token", "not reached over verified https"),
    (HTTP, "insecure.example:5000", "http://insecure.example:6000/token", "it would go over plain http"),
    (HTTP, "insecure.example:5000", "https://insecure.example:5001/token", "not reached over verified https"),
    (HTTP, "insecure.example:5000", "https://auth.example/token", "not reached over verified https"),
    (HTTP, "insecure.example:5000", "https://insecure.example:6000/token", "not reached over verified https"),
    (HTTP, "insecure.example:5000", "http://auth.example/token", "it would go over plain http"),
    (HTTP, "insecure.example:5000", "http://localhost:5000/token", "not reached over verified https"),
    (UNVERIFIED, "insecure.example:5000", "https://insecure.example:5000/token", ""),
    (UNVERIFIED, "insecure.example:5000", "https://insecure.example:5001/token", ""),
    (UNVERIFIED, "insecure.example:5000", "https://insecure.example:6000/token", "not reached over verified https"),
    (UNVERIFIED, "insecure.example", "https://insecure.example:443/token", ""),
    (UNVERIFIED, "insecure.example:5000", "https://other.example:5000/token", "not reached over verified https"),
    (UNVERIFIED, "insecure.example:5000", "https://auth.example/token", "not reached over verified https"),
    (UNVERIFIED, "insecure.example:5000", "http://insecure.example:5001/token", "would be over plain http"),
    # Loopback may name loopback, and nobody else.
    (HTTP, "localhost:5000", "http://127.0.0.1:5001/token", ""),
    (HTTP, "localhost:5000", "https://localhost:5001/token", ""),
    (HTTP, "localhost:5000", "http://other.example:5000/token", "not reached over verified https"),
    (HTTP, "localhost:5000", "https://auth.example/token", "not reached over verified https"),
    (HTTP, "localhost:5000", "http://auth.example/token", "it would go over plain http"),
]


@each(("way", "registry", "realm", "reason"), REALMS)
def test_credentials_for_a_token_service_are_withheld_where_they_could_leak(
    way: str, registry: str, realm: str, reason: str
) -> None:
    transport = Transport(Hosts(tuple(InsecureHost(host, "--insecure") for host in DECLARED)))
    scheme = "http" if way == HTTP else "https"
    endpoint = Endpoint(registry, f"{scheme}://{registry}", transport.trust(registry), verified=way == HTTPS)
    withheld = Authenticator(transport, Credentials({}))._withheld(endpoint, realm)
    assert (reason in withheld) if reason else withheld == ""


def test_credentials_over_an_unverified_connection_are_sent_with_a_warning() -> None:
    told: list[Event] = []
    transport = Transport(Hosts((InsecureHost("insecure.example:5000", "--insecure"),)), told.append)
    endpoint = Endpoint("insecure.example:5000", "http://insecure.example:5000", Trust.DECLARED, verified=False)
    assert Authenticator(transport, Credentials({}))._withheld(endpoint, "http://insecure.example:5000/token") == ""
    assert [event.kind for event in told] == ["warning"]


def test_credentials_over_a_verified_connection_to_an_insecure_host_are_sent_without_a_warning() -> None:
    told: list[Event] = []
    transport = Transport(Hosts((InsecureHost("insecure.example:5000", "--insecure"),)), told.append)
    endpoint = Endpoint("insecure.example:5000", "https://insecure.example:5000", Trust.DECLARED, verified=True)
    assert Authenticator(transport, Credentials({}))._withheld(endpoint, "https://insecure.example:5000/token") == ""
    assert told == []


# Tokens on the wire


@pytest.fixture
def image(guarded: RegistryServer) -> RegistryServer:
    """A registry that requires tokens, with an image."""
    put_image(guarded, "app", "1")
    put_image(guarded, "public/app", "1")
    return guarded


def shown_to(server: RegistryServer) -> list[str]:
    """Return each Authorization header that a registry received, once."""
    return list(dict.fromkeys(seen.headers["Authorization"] for seen in server.seen if "Authorization" in seen.headers))


def test_token_is_requested_with_the_password_and_kept(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    client = connect(image.host)
    for _ in range(3):
        assert client.list_tags(app(image)) == ["1"]
    (asked,) = tokens.asked
    assert asked.query == {
        "opaque": ["kept/as-is"],
        "service": ["test registry"],
        "scope": ["repository:app:pull"],
        "account": [USER],
    }
    assert (asked.method, asked.authorization) == ("GET", BASIC)
    assert "opaque=kept%2Fas-is&" in tokens.seen[0].path
    assert shown_to(image) == ["Bearer token-1-of-ada"]
    # What else a request needs is another token.
    client.start_upload(app(image))
    client.start_upload(app(image), "sha256:" + 64 * "0", app(image, path="base"))
    assert [asked.query["scope"] for asked in tokens.asked[1:]] == [
        ["repository:app:pull,push"],
        ["repository:app:pull,push", "repository:base:pull"],
    ]


@pytest.mark.parametrize(
    ("lasts", "wait", "asked"),
    [
        (300, 290, 1),
        (300, 295, 2),
        (300, 296, 2),
        (None, 50, 1),
        (None, 56, 2),
        (4, 1.9, 1),
        (4, 2.1, 2),
        ("300", 56, 2),
        (True, 50, 1),
        (-1, 50, 1),
        (0, 50, 1),
        (100.5, 95, 1),
        (366 * 86_400, 100, 1),
    ],
)
def test_token_is_kept_until_shortly_before_it_ends(
    lasts: int | None,
    wait: float,
    asked: int,
    image: RegistryServer,
    tokens: OpaqueTokens,
    connect: Connect,
    clock: Clock,
) -> None:
    tokens.lasts = lasts
    client = connect(image.host)
    client.list_tags(app(image))
    clock.sleep(wait)
    client.list_tags(app(image))
    assert len(tokens.asked) == asked


def test_token_that_is_not_taken_is_requested_again_once(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    client = connect(image.host)
    client.list_tags(app(image))
    tokens.issued.clear()
    assert client.list_tags(app(image)) == ["1"]
    assert len(tokens.asked) == 2
    image.add(
        status(401, WWW_Authenticate=f'Bearer realm="{tokens.realm}",error="invalid_token"'), "GET", "/tags/", ALWAYS
    )
    image.seen.clear()
    with pytest.raises(AuthenticationError, match=f"does not accept the credentials of '{USER}'"):
        client.list_tags(app(image))
    assert image.count("GET", "/tags/") == 2


def test_renew_after_another_thread_got_a_token_uses_that_token(
    image: RegistryServer, tokens: OpaqueTokens, tmp_path: Path
) -> None:
    transport = Transport(Hosts())
    environ = {"IMGREF_REGISTRY": image.host, "IMGREF_USERNAME": USER, "IMGREF_PASSWORD": PASSWORD}
    authenticator = Authenticator(transport, Credentials({"HOME": str(tmp_path), **environ}))
    endpoint, scopes = transport.endpoint(image.host, "app"), ["repository:app:pull"]
    access = Access(endpoint, "app", scopes, "app")
    kept = authenticator.authorization(access)
    answer = transport.send(Request("GET", f"http://{image.host}/v2/app/tags/list", "app"))
    renewal = authenticator.renew(access, answer, ["Bearer older"])
    assert renewal is not None
    assert renewal.header == kept
    assert len(tokens.asked) == 1
    # The secret is in no text that a log could show.
    assert str(kept).partition(" ")[2] not in repr(vars(authenticator)["_tokens"])
    transport.close()


def test_token_that_is_good_for_one_request_works_with_four_jobs(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    lock, used = threading.Lock(), set()

    def accept_once(exchange: Exchange) -> None:
        shown = exchange.headers["Authorization"]
        with lock:
            spent = shown in used
            used.add(shown)
        if spent:
            status(401, WWW_Authenticate=f'Bearer realm="{tokens.realm}",service="{tokens.service}"')(exchange)
        else:
            exchange.give(exchange.ask())

    image.add(accept_once, "GET", "/tags/", ALWAYS)
    client = connect(image.host)
    tasks = [lambda: client.list_tags(app(image))] * 24
    assert run_all(4, tasks, threading.Event()) == (["1"],) * 24


@pytest.mark.parametrize(
    ("challenge", "said"),
    [
        ({"WWW_Authenticate": "Negotiate, NTLM"}, "requires authentication by negotiate, ntlm, which imgref does not"),
        ({}, "answers 401, but not how to authenticate"),
    ],
)
def test_challenge_that_is_unknown_or_missing_does_not_blame_the_credentials(
    challenge: dict[str, str], said: str, image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    image.add(status(401, b"", **challenge), "GET", "/tags/", ALWAYS)
    with pytest.raises(AuthenticationError, match=said) as caught:
        connect(image.host).list_tags(app(image))
    assert "credentials" not in str(caught.value)


def test_token_without_enough_rights_is_described_as_that(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    challenge = f'Bearer realm="{tokens.realm}",scope="repository:app:pull",error="insufficient_scope"'
    image.add(status(401, WWW_Authenticate=challenge), "GET", "/tags/", ALWAYS)
    with pytest.raises(AuthenticationError, match=f"no permission to read it as '{USER}'"):
        connect(image.host).list_tags(app(image))


def test_scope_that_the_registry_asks_for_is_requested_too(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    client = connect(image.host)
    challenge = f'Bearer realm="{tokens.realm}",service="s",scope="repository:app:delete repository:x:pull"'

    def refuse_the_first_token(exchange: Exchange) -> None:
        if exchange.headers["Authorization"] == "Bearer token-1-of-ada":
            status(401, WWW_Authenticate=challenge)(exchange)
        else:
            exchange.give(exchange.ask())

    image.add(refuse_the_first_token, "GET", "/tags/", ALWAYS)
    assert client.list_tags(app(image)) == ["1"]
    assert tokens.asked[-1].query["scope"] == ["repository:app:delete,pull", "repository:x:pull"]
    client.list_tags(app(image))
    # The next request does not run into the same refusal.
    assert image.count("GET", "/tags/") == 3


def test_token_without_credentials_reads_what_is_public(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    client = connect()
    assert client.list_tags(app(image, path="public/app")) == ["1"]
    assert tokens.asked[0].authorization is None
    assert "account" not in tokens.asked[0].query
    with pytest.raises(AuthenticationError, match=r"no such repository, or .*imgref login"):
        client.list_tags(app(image))


def config(tmp_path: Path, host: str, entry: dict[str, str]) -> None:
    path = tmp_path / ".docker" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"auths": {host: entry}}))


def test_identity_token_is_exchanged_for_a_token(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect, tmp_path: Path
) -> None:
    config(tmp_path, image.host, {"identitytoken": REFRESH_TOKEN})
    assert connect().list_tags(app(image)) == ["1"]
    (asked,) = tokens.asked
    assert (asked.method, asked.authorization) == ("POST", None)
    assert asked.form == {
        "grant_type": ["refresh_token"],
        "service": ["test registry"],
        "client_id": ["imgref"],
        "scope": ["repository:app:pull"],
        "refresh_token": [REFRESH_TOKEN],
    }
    assert tokens.seen[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert REFRESH_TOKEN not in tokens.seen[0].path
    assert not any(REFRESH_TOKEN in str(seen.headers) for seen in image.seen)
    connect().start_upload(app(image), "sha256:" + 64 * "0", app(image, path="base"))
    assert tokens.asked[-1].form["scope"] == ["repository:app:pull,push repository:base:pull"]


def test_registry_token_is_sent_to_the_registry_alone(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect, tmp_path: Path
) -> None:
    ready = tokens.sign(USER, {"app": ["pull"]})
    config(tmp_path, image.host, {"registrytoken": ready})
    client = connect()
    assert client.list_tags(app(image)) == ["1"]
    assert shown_to(image) == [f"Bearer {ready}"]
    assert tokens.seen == []
    tokens.issued.clear()
    image.seen.clear()
    with pytest.raises(AuthenticationError, match="does not accept the credentials") as caught:
        client.list_tags(app(image))
    # The same token again would be refused again.
    assert image.count("GET", "/tags/") == 1
    assert ready not in str(caught.value)


@pytest.mark.parametrize("token", [None, "", 1, True, ["t"], {"t": 1}, "a b", "a\nb", "\u00e9", "a\r\nX-Evil: 1"])
def test_token_that_is_none_is_an_error(
    token: object, image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    tokens.fields = {"token": token}
    with pytest.raises(RegistryError, match="token"):
        connect(image.host).list_tags(app(image))
    assert shown_to(image) == []
    tokens.fields = {"token": "", "access_token": tokens.sign(USER, {"app": ["pull"]})}
    assert connect(image.host).list_tags(app(image)) == ["1"]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (status(400), AuthenticationError, "does not accept the credentials of 'ada'"),
        (status(401), AuthenticationError, "does not accept the credentials of 'ada'"),
        (status(403), AuthenticationError, "does not accept the credentials of 'ada'"),
        (status(404), RegistryError, "answers 404"),
        (status(429, Retry_After="500"), RateLimited, "later"),
        (status(503), RegistryError, "answers 503"),
        (status(200, b"[]"), RegistryError, "token"),
        (status(200, b"no JSON"), RegistryError, "token"),
        (status(200, b"[" * 100_000), RegistryError, "token"),
        (html, RegistryError, "token"),
        (redirect("ftp://x"), RegistryError, "an invalid address"),
    ],
    ids=range(11),
)
def test_token_service_without_a_token_is_an_error(
    fault: Action, kind: type[RegistryError], words: str, image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    tokens.add(fault, times=ALWAYS)
    with pytest.raises(kind, match=f"^{app(image)}: .*{words}") as caught:
        connect(image.host).list_tags(app(image))
    assert type(caught.value) is kind
    assert PASSWORD not in str(caught.value)
    for code in (404, 429, 503):
        assert (caught.value.status == code) == (f"answers {code}" in words or (code == 429 and kind is RateLimited))
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 500.0


def test_token_service_that_refuses_everybody_asks_for_a_login(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    tokens.add(status(403), times=ALWAYS)
    with pytest.raises(AuthenticationError, match=f"imgref login {image.host}") as caught:
        connect().list_tags(app(image))
    assert caught.value.status == 403


def test_password_that_is_wrong_is_refused_without_being_shown(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    tokens.users = {USER: "other"}
    with pytest.raises(AuthenticationError, match=r"'ada' \(from IMGREF_USERNAME\)") as caught:
        connect(image.host).list_tags(app(image))
    assert caught.value.status == 401
    assert PASSWORD not in repr(caught.value)


@pytest.mark.parametrize(
    "realm", ["", "ftp://127.0.0.1/", "http://", "http://a:b/", "http://ada:x@127.0.0.1/token", "http://a\x1b/"]
)
def test_realm_that_is_not_an_address_is_an_error(
    realm: str, image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    image.add(status(401, WWW_Authenticate=f'Bearer realm="{realm}",service="s"'), "GET", times=ALWAYS)
    with pytest.raises(RegistryError):
        connect(image.host).list_tags(app(image))
    assert tokens.seen == []


def test_realm_that_is_relative_is_on_the_registry(image: RegistryServer, connect: Connect) -> None:
    image.add(status(200, b'{"token": "t"}'), "GET", "^/auth")
    image.add(status(200, b'{"tags": ["1"]}'), "GET", "/tags/")
    image.add(status(401, WWW_Authenticate='Bearer realm="/auth"'), "GET", "/v2/")
    client = connect(image.host)
    assert client.list_tags(app(image)) == ["1"]
    assert [seen.path.partition("?")[2] for seen in image.seen if seen.path.startswith("/auth")] == [
        f"scope=repository%3Aapp%3Apull&account={USER}"
    ]
    assert shown_to(image) == [BASIC, "Bearer t"]


# To whom a password is sent


@dataclass
class Case:
    """A registry that names a token service: how each is reached, and whether that gets the password."""

    registry: str
    service: str
    sent: bool
    warned: str = ""

    @property
    def verified(self) -> bool:
        """Whether one of the two has a certificate that must be trusted."""
        return "+ca" in self.registry or "elsewhere" in self.service


CASES_OF_TRUST = {
    "loopback to loopback": Case("http://127.0.0.1", "http://127.0.0.1", sent=True),
    "loopback to localhost": Case("http://127.0.0.1", "http://localhost", sent=True),
    "loopback to insecure": Case("http://127.0.0.1", "http://tokens.test", sent=False, warned="not sent"),
    "loopback to verified": Case("http://127.0.0.1", "https://elsewhere.test", sent=False, warned="not sent"),
    "insecure to insecure": Case("http://registry.test", "http://tokens.test", sent=False, warned="not sent"),
    "insecure to itself": Case("http://registry.test", "http://registry.test", sent=True, warned="unverified"),
    "insecure to loopback": Case("http://registry.test", "http://127.0.0.1", sent=False, warned="not sent"),
    "insecure to its own https": Case("http://registry.test", "https://registry.test", sent=False, warned="not sent"),
    "insecure https to another": Case("https://registry.test", "https://tokens.test", sent=False, warned="not sent"),
    "insecure https to itself": Case("https://registry.test", "https://registry.test", sent=True, warned="verified"),
    "insecure https to http": Case("https://registry.test", "http://registry.test", sent=False, warned="not sent"),
    "verified to verified": Case("https+ca://registry.test", "https://elsewhere.test", sent=True),
    "verified to loopback": Case("https+ca://registry.test", "https://127.0.0.1", sent=False, warned="not sent"),
    "verified to http": Case("https+ca://registry.test", "http://registry.test", sent=False, warned="not sent"),
    "verified to insecure": Case("https+ca://registry.test", "https://tokens.test", sent=True, warned="unverified"),
}  # fmt: skip


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def between(
    case: Case, server: RegistryServer, tls: RegistryServer, context: ssl.SSLContext, ca: Path
) -> Iterator[tuple[RegistryServer, OpaqueTokens, str, Hosts]]:
    """The registry and the token service of a case, the registry's name, and the settings."""
    registry = server if case.registry.startswith("http:") else tls
    host = named(registry, case.registry.rpartition("/")[2])
    scheme, _, name = case.service.partition("://")
    service = OpaqueTokens(users={USER: PASSWORD})
    with serve_tokens(service, context if scheme == "https" else None):
        service.realm = service.realm.replace("127.0.0.1", name)
        registry.tokens = service
        put_image(registry, "public/app", "1")
        trusted = insecure(*(named(service, each) for each in ("tokens.test", "registry.test")))
        if not case.registry.startswith("https+ca"):
            trusted = replace(trusted, declared=(*trusted.declared, *insecure(named(registry)).declared))
        if case.verified:
            trusted = replace(trusted, cacert=ca)
        yield registry, service, host, trusted


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("case", CASES_OF_TRUST.values(), ids=CASES_OF_TRUST, indirect=True)
def test_password_is_sent_to_token_services_that_may_have_it(
    case: Case,
    between: tuple[RegistryServer, OpaqueTokens, str, Hosts],
    connect: Connect,
    events: list[Event],
) -> None:
    _, service, host, hosts = between
    client = connect(host, hosts=hosts)
    repository = parse(f"{host}/public/app", default_tag=None)
    assert client.list_tags(repository) == ["1"]
    assert [asked.authorization for asked in service.asked] == [BASIC if case.sent else None]
    warned = " ".join(event.message for event in events if event.kind == "warning")
    assert case.warned in warned
    assert bool(case.warned) == bool(warned)
    assert PASSWORD not in warned
    # A login shows whether the password is right, so it is refused instead.
    credential = Credential(USER, PASSWORD)
    if case.sent:
        assert client.check_credential(host, credential)
    else:
        with pytest.raises(AuthenticationError, match="password is not sent to"):
            client.check_credential(host, credential)


def test_password_is_for_one_registry_and_port(server: RegistryServer, other: RegistryServer, connect: Connect) -> None:
    for one in (server, other):
        one.users = {USER: PASSWORD}
        put_image(one, "app", "1")
    client = connect(server.host)
    assert client.list_tags(app(server)) == ["1"]
    with pytest.raises(AuthenticationError, match="imgref login"):
        client.list_tags(app(other))
    assert shown_to(other) == []


def test_password_is_not_sent_to_a_location_elsewhere(
    server: RegistryServer, other: RegistryServer, connect: Connect
) -> None:
    server.users = {USER: PASSWORD}
    server.add(header("Location", f"http://{other.host}/v2/app/blobs/uploads/1"), "POST")
    other.add(status(401, WWW_Authenticate='Basic realm="x"'), times=ALWAYS)
    client = connect(server.host)
    upload = client.start_upload(app(server))
    assert upload is not None
    with pytest.raises(RegistryError):
        client.put_blob(upload, lambda: [b"x"], 1, "sha256:" + 64 * "0")
    assert (len(other.seen), shown_to(other)) == (1, [])


# Basic authentication


def test_basic_credentials_are_shown_from_the_first_request_on(
    server: RegistryServer, connect: Connect, events: list[Event]
) -> None:
    server.users = {USER: PASSWORD}
    put_image(server, "app", "1")
    assert connect(server.host).list_tags(app(server)) == ["1"]
    # On this machine, nobody else can listen.
    assert events == []
    assert ["Authorization" in seen.headers for seen in server.seen] == [False, True]
    server.seen.clear()
    with pytest.raises(AuthenticationError, match="imgref login"):
        connect().list_tags(app(server))
    assert shown_to(server) == []
    server.users = {USER: "other"}
    with pytest.raises(AuthenticationError, match="does not accept the credentials of 'ada'"):
        connect(server.host).list_tags(app(server))


@pytest.mark.usefixtures("names")
def test_basic_credentials_over_an_unverified_connection_come_with_a_warning(
    server: RegistryServer, connect: Connect, events: list[Event]
) -> None:
    server.users = {USER: PASSWORD}
    put_image(server, "app", "1")
    host = named(server)
    client = connect(host, hosts=insecure(host))
    for _ in range(2):
        assert client.list_tags(parse(f"{host}/app", default_tag=None)) == ["1"]
    assert [event.kind for event in events] == ["warning"]
    assert host in events[0].message


@pytest.mark.usefixtures("names")
def test_basic_credentials_over_a_verified_connection_come_without_a_warning(
    tls: RegistryServer, ca: Path, connect: Connect, events: list[Event]
) -> None:
    tls.users = {USER: PASSWORD}
    put_image(tls, "app", "1")
    host = named(tls)
    for hosts in (Hosts(cacert=ca), replace(insecure(host), cacert=ca)):
        assert connect(host, hosts=hosts).list_tags(parse(f"{host}/app", default_tag=None)) == ["1"]
    assert events == []


def test_basic_with_nothing_but_a_token_is_an_error(server: RegistryServer, connect: Connect, tmp_path: Path) -> None:
    server.users = {USER: PASSWORD}
    config(tmp_path, server.host, {"identitytoken": REFRESH_TOKEN})
    with pytest.raises(AuthenticationError, match="password") as caught:
        connect().list_tags(app(server))
    assert caught.value.status == 401
    assert REFRESH_TOKEN not in str(caught.value)
    assert shown_to(server) == []


def test_challenge_that_is_not_known_is_a_refusal(server: RegistryServer, connect: Connect) -> None:
    server.add(status(401, WWW_Authenticate="Negotiate"), times=ALWAYS)
    client = connect(server.host)
    with pytest.raises(AuthenticationError):
        client.list_tags(app(server))
    assert shown_to(server) == []
    with pytest.raises(AuthenticationError, match="a way that imgref does not know") as caught:
        client.check_credential(server.host, Credential(USER, PASSWORD))
    assert caught.value.status == 401


def test_secret_that_a_registry_repeats_is_masked(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    token = "token-1-of-ada"
    body = json.dumps({"errors": [{"message": f"{PASSWORD} {BASIC} {token} in the request"}]}).encode()
    image.add(status(418, body), "GET", "/tags/", after=1)
    client = connect(image.host)
    client.list_tags(app(image))
    with pytest.raises(RegistryError, match=r"\*\*\* Basic \*\*\* \*\*\* in the request") as caught:
        client.list_tags(app(image))
    for secret in (PASSWORD, BASIC.partition(" ")[2], token):
        assert secret not in str(caught.value)


# A login


def test_check_credential_returns_whether_it_was_requested(
    server: RegistryServer, other: RegistryServer, connect: Connect
) -> None:
    client, right, wrong = connect(), Credential(USER, PASSWORD), Credential(USER, "wrong")
    assert client.check_credential(other.host, wrong) is False
    server.users = {USER: PASSWORD}
    assert client.check_credential(server.host, right) is True
    with pytest.raises(AuthenticationError, match="does not accept"):
        client.check_credential(server.host, wrong)
    server.add(status(404), after=1)
    with pytest.raises(RegistryError, match="404") as caught:
        client.check_credential(server.host, right)
    assert caught.value.status == 404
    assert (caught.value.method, caught.value.url) == ("GET", f"http://{server.host}/v2/")


def test_check_credential_with_a_token_service_never_uses_a_kept_token(
    guarded: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    client = connect()
    assert client.check_credential(guarded.host, Credential(USER, PASSWORD)) is True
    with pytest.raises(AuthenticationError, match="does not accept"):
        client.check_credential(guarded.host, Credential(USER, "wrong"))
    assert len(tokens.asked) == 2
    tokens.users = {USER: PASSWORD}
    guarded.tokens = OpaqueTokens(realm=tokens.realm)
    with pytest.raises(AuthenticationError, match="does not accept"):
        client.check_credential(guarded.host, Credential(USER, PASSWORD))


def test_token_service_that_is_down_is_unavailable(
    image: RegistryServer, tokens: OpaqueTokens, connect: Connect
) -> None:
    tokens.realm = "http://127.0.0.1:1/token"
    with pytest.raises(RegistryUnavailable, match=f"^{app(image)}: "):
        connect(image.host).list_tags(app(image))
