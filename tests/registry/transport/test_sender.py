"""Sending requests: which connection is allowed, what is tried again, and where a redirect leads."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

# Not time.sleep, which takes no time in these tests.
from time import sleep

import pytest
import trustme
from faults import (
    Action,
    Answer,
    Exchange,
    cut_in_answer,
    header,
    redirect,
    reset_before,
    reset_in_answer,
    reset_in_request,
    status,
)
from registry.kit import ALWAYS, Clock, insecure, named
from registry.server import RegistryServer

from imgref.errors import ConfigError, RegistryError, RegistryUnavailable
from imgref.registry.hosts import Hosts, Proxies
from imgref.registry.transport import Body, Event, Request, Response, Transport

Open = Callable[..., Transport]


@pytest.fixture
def transport(clock: Clock, events: list[Event]) -> Iterator[Open]:
    """Return a function that opens transports."""
    opened: list[Transport] = []

    def make(hosts: Hosts | None = None, timeout: float = 5.0) -> Transport:
        opened.append(
            Transport(hosts or Hosts(), events.append, connect_timeout=min(timeout, 5.0), read_timeout=timeout)
        )
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def get(
    transport: Transport, server: RegistryServer, path: str = "/v2/", method: str = "GET", **more: object
) -> Response:
    url = path if "://" in path else f"{server.scheme}://{server.host}{path}"
    return transport.send(Request(method, url, "app", **more))  # type: ignore[arg-type]


# Trying again


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_request_that_fails_for_a_while_is_tried_again(
    code: int, server: RegistryServer, transport: Open, clock: Clock, events: list[Event]
) -> None:
    server.add(status(code), times=4)
    assert get(transport(), server).status == 200
    assert len(server.seen) == 5
    # Longer each time, with jitter.
    assert all(low <= wait <= 2 * low for wait, low in zip(clock.waits, (0.25, 0.5, 1.0, 2.0), strict=True))
    assert len(set(clock.waits)) == 4
    assert [(event.kind, event.delay) for event in events] == [("retry", wait) for wait in clock.waits]
    assert all(event.message.startswith(f"app: HTTP status {code}; trying again in ") for event in events)
    assert events[0].message.endswith("s (2 of 5)")


@pytest.mark.parametrize("code", [200, 201, 400, 401, 403, 404, 409, 416, 418, 501, 505])
def test_request_that_is_answered_is_sent_once(code: int, server: RegistryServer, transport: Open) -> None:
    server.add(status(code, b"why"), times=ALWAYS)
    answer = get(transport(), server)
    assert (answer.status, answer.body, len(server.seen)) == (code, b"why", 1)


def test_request_that_fails_for_good_returns_the_last_answer(server: RegistryServer, transport: Open) -> None:
    server.add(status(503, b"down"), times=ALWAYS)
    answer = get(transport(), server)
    assert (answer.status, answer.body, len(server.seen)) == (503, b"down", 5)
    answer = get(transport(), server, again=False)
    assert (answer.status, len(server.seen)) == (503, 6)


@pytest.mark.parametrize("fault", [reset_before, reset_in_answer, cut_in_answer])
def test_request_whose_connection_breaks_is_tried_again(
    fault: Action, server: RegistryServer, transport: Open, events: list[Event]
) -> None:
    server.add(fault, times=2)
    assert get(transport(), server).body == b"{}"
    assert len(server.seen) == 3
    assert all("the connection was" in event.message for event in events)
    server.add(fault, times=ALWAYS)
    with pytest.raises(RegistryUnavailable, match=f"^app: {server.host}: the connection was") as caught:
        get(transport(), server, again=False)
    assert len(server.seen) == 4
    assert (caught.value.method, caught.value.url) == ("GET", f"http://{server.host}/v2/")


@pytest.mark.parametrize(
    ("asked", "low", "high"), [("7", 7.0, 7.2), ("0", 0.05, 0.2), ("120", 120.0, 120.2), ("soon", 0.25, 0.5)]
)
def test_retry_after_is_waited_for(
    asked: str, low: float, high: float, server: RegistryServer, transport: Open, clock: Clock
) -> None:
    server.add(status(429, Retry_After=asked))
    assert get(transport(), server).status == 200
    assert low <= clock.waits[0] <= high


def test_retry_after_that_is_too_long_is_left_to_the_caller(
    server: RegistryServer, transport: Open, clock: Clock
) -> None:
    server.add(status(429, Retry_After="121"), times=ALWAYS)
    assert get(transport(), server).status == 429
    assert clock.waits == []


def test_body_is_sent_from_the_start_each_time(server: RegistryServer, transport: Open) -> None:
    received: list[bytes] = []

    def keep(exchange: Exchange) -> None:
        received.append(b"".join(exchange.body()))
        exchange.give(Answer(503 if len(received) < 3 else 201, [], b""))

    bodies: list[Body] = [b"hello", lambda: iter([b"hel", b"lo"])]
    for body in bodies:
        received.clear()
        server.faults.clear()
        server.add(reset_in_request)
        server.add(keep, times=ALWAYS)
        answer = get(transport(), server, method="PUT", body=body, headers={"Content-Length": "5"})
        assert answer.status == 201
        assert received == [b"hello"] * 3


def test_close_wakes_a_request_that_waits(server: RegistryServer, events: list[Event]) -> None:
    opened = Transport(Hosts(), lambda event: opened.close())
    server.add(status(503, Retry_After="100"), times=ALWAYS)
    with pytest.raises(RegistryUnavailable, match="closed"):
        get(opened, server)
    assert len(server.seen) == 1


def test_request_to_a_silent_registry_ends(server: RegistryServer, transport: Open) -> None:
    gate = threading.Event()

    def nothing(_: Exchange) -> None:
        gate.wait()

    server.add(nothing, times=ALWAYS)
    with pytest.raises(RegistryUnavailable, match="no answer in time"):
        get(transport(timeout=0.05), server, again=False)
    gate.set()


def test_answer_that_trickles_ends(server: RegistryServer, transport: Open, clock: Clock) -> None:
    def trickle(exchange: Exchange) -> None:
        exchange.send_response_only(200)
        exchange.send_header("Content-Length", "1000")
        exchange.end_headers()
        for _ in range(1000):
            clock.sleep(3.0)
            sleep(0.001)
            exchange.wfile.write(b"x")

    server.add(trickle)
    with pytest.raises(RegistryUnavailable, match="too slowly"):
        get(transport(timeout=5.0), server, again=False)


def test_answer_that_is_too_large_is_refused(
    server: RegistryServer, transport: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgref.registry.transport.reading.MANIFEST_LIMIT", 1000)
    server.add(status(200, b"x" * 1001))
    with pytest.raises(RegistryError, match="more than") as caught:
        get(transport(), server)
    assert (caught.value.method, caught.value.url, caught.value.status) == ("GET", f"http://{server.host}/v2/", 200)
    assert len(server.seen) == 1
    server.add(status(200, b"x" * 1000))
    assert len(get(transport(), server).body) == 1000
    # What is streamed may have any size.
    server.add(status(200, b"x" * 1001))
    assert b"".join(get(transport(), server, stream=True).chunks()) == b"x" * 1001


def test_answer_that_is_compressed_is_read_and_streamed_as_it_is(server: RegistryServer, transport: Open) -> None:
    packed = gzip.compress(b"[]")
    server.add(status(200, packed, Content_Encoding="gzip"), times=ALWAYS)
    assert get(transport(), server).body == b"[]"
    streamed = get(transport(), server, stream=True)
    assert streamed.body == b""
    assert b"".join(streamed.chunks()) == packed
    assert list(streamed.chunks()) == []


def test_stream_that_breaks_raises_in_the_middle(server: RegistryServer, transport: Open) -> None:
    server.add(status(500, b"why"), times=5)
    assert get(transport(), server, stream=True).body == b"why"
    server.add(cut_in_answer)
    with pytest.raises(RegistryUnavailable, match="in the middle of an answer"):
        list(get(transport(), server, stream=True).chunks())


# Redirects


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_redirect_of_a_read_is_followed(code: int, method: str, server: RegistryServer, transport: Open) -> None:
    server.add(redirect("/v2/?signature=a%2Fb", code), path="/first")
    answer = get(transport(), server, "/first", method)
    assert answer.status == 200
    assert [(seen.method, seen.path) for seen in server.seen[1:]] == [(method, "/v2/?signature=a%2Fb")]


@pytest.mark.parametrize("code", [300, 304, 305])
def test_response_that_is_not_a_redirect_is_returned(code: int, server: RegistryServer, transport: Open) -> None:
    server.add(redirect("/v2/", code), path="/first")
    assert get(transport(), server, "/first").status == code
    server.add(header("Location", "/elsewhere"), path="/v2/")
    assert get(transport(), server).status == 200


@pytest.mark.parametrize(
    ("code", "streamed", "followed"),
    [(307, False, True), (308, False, True), (301, False, False), (303, False, False), (307, True, False)],
)
def test_redirect_of_a_write_is_followed_only_if_it_keeps_the_request(
    code: int, streamed: bool, followed: bool, server: RegistryServer, transport: Open
) -> None:
    received: list[bytes] = []

    def keep(exchange: Exchange) -> None:
        received.append(b"".join(exchange.body()))
        exchange.give(Answer(201, [], b""))

    server.add(redirect("/second", code), path="/first")
    server.add(keep, path="/second")
    body: Body = (lambda: [b"hello"]) if streamed else b"hello"
    answer = get(transport(), server, "/first", "PUT", body=body, headers={"Content-Length": "5"})
    assert answer.status == (201 if followed else code)
    assert received == ([b"hello"] if followed else [])


def test_redirect_to_another_host_carries_no_credentials(
    server: RegistryServer, other: RegistryServer, transport: Open
) -> None:
    server.add(redirect(f"http://{other.host}/v2/"), path="/away")
    server.add(redirect("/v2/"), path="/near")
    other.add(redirect(f"http://{server.host}/v2/"), path="/back")
    server.add(redirect(f"http://{other.host}/back"), path="/there-and-back")
    sent = transport()
    for path, expected in (
        ("/near", [True, True]),
        ("/away", [True]),
        ("/there-and-back", [True, True]),
    ):
        server.seen.clear()
        assert get(sent, server, path, authorization="Bearer secret").status == 200
        assert ["Authorization" in seen.headers for seen in server.seen] == expected
    assert len(other.seen) == 2
    assert all("Authorization" not in seen.headers for seen in other.seen)
    name = server.host.replace("127.0.0.1", "localhost")
    server.add(redirect(f"http://{name}/v2/"), path="/by-name")
    get(sent, server, "/by-name", authorization="Bearer secret")
    assert "Authorization" not in server.seen[-1].headers


@pytest.mark.parametrize("target", ["ftp://x/", "http://a:b/", "//ada:secret@127.0.0.1/", "http://a/\x7f"])
def test_redirect_to_an_invalid_address_is_an_error(target: str, server: RegistryServer, transport: Open) -> None:
    server.add(redirect(target), times=ALWAYS)
    with pytest.raises(RegistryError, match="an invalid address") as caught:
        get(transport(), server)
    assert "secret" not in str(caught.value)
    assert len(server.seen) == 1


def test_redirects_without_end_are_an_error(server: RegistryServer, transport: Open) -> None:
    server.add(redirect("/v2/?again=secret"), times=5)
    assert get(transport(), server).status == 200
    server.add(redirect("/v2/?again=secret"), times=ALWAYS)
    with pytest.raises(RegistryError, match="redirects") as caught:
        get(transport(), server)
    assert len(server.seen) == 12
    assert caught.value.url == f"http://{server.host}/v2/"


# Which connection


def test_endpoint_of_a_loopback_registry_is_found_once(
    server: RegistryServer, tls: RegistryServer, transport: Open
) -> None:
    opened = transport()
    for _ in range(2):
        found = opened.endpoint(server.host, "app")
        assert (found.origin, found.verified) == (f"http://{server.host}", False)
        found = opened.endpoint(tls.host, "app")
        assert (found.origin, found.verified) == (f"https://{tls.host}", False)
    assert [seen.path for seen in (*server.seen, *tls.seen)] == ["/v2/", "/v2/"]


def test_endpoint_of_a_loopback_registry_with_a_ca_is_verified(tls: RegistryServer, ca: Path, transport: Open) -> None:
    assert transport(Hosts(cacert=ca)).endpoint(tls.host, "app").verified
    # A CA that did not sign its certificate is no reason to fail: loopback needs none.
    foreign = ca.with_name("foreign.pem")
    trustme.CA().cert_pem.write_to_path(foreign)
    assert not transport(Hosts(cacert=foreign)).endpoint(tls.host, "app").verified


def test_endpoint_keeps_the_challenges_of_the_first_answer(server: RegistryServer, transport: Open) -> None:
    server.users = {"ada": "x"}
    assert transport().endpoint(server.host, "app").challenges == ('Basic realm="test"',)


def test_endpoint_that_is_limited_waits_as_long_as_asked(
    server: RegistryServer, transport: Open, clock: Clock, events: list[Event]
) -> None:
    server.add(status(429, Retry_After="9"))
    assert transport().endpoint(server.host, "app").origin == f"http://{server.host}"
    assert 9.0 <= clock.waits[0] <= 9.2
    server.add(status(429, Retry_After="121"))
    transport().endpoint(server.host, "app")
    server.add(status(404, Retry_After="9"))
    transport().endpoint(server.host, "app")
    assert len(clock.waits) == len(events) == 1
    # The request that follows has all of its tries, and counts them.
    assert "HTTP status 429; trying again in 9." in events[0].message
    assert events[0].message.endswith(" s")
    server.add(status(429, Retry_After="120"))
    transport().endpoint(server.host, "app")
    assert len(clock.waits) == 2


def test_endpoint_that_cannot_be_reached_is_tried_again(
    server: RegistryServer, transport: Open, clock: Clock, events: list[Event]
) -> None:
    server.add(reset_before, times=4)
    assert transport().endpoint(server.host, "app").origin == f"http://{server.host}"
    assert len(clock.waits) == 4
    server.add(reset_before, times=ALWAYS)
    with pytest.raises(RegistryUnavailable, match=f"^app: {server.host}: "):
        transport().endpoint(server.host, "app")


@pytest.mark.usefixtures("names")
def test_host_that_is_not_configured_needs_verified_https(
    server: RegistryServer, tls: RegistryServer, ca: Path, transport: Open
) -> None:
    opened = transport(Hosts(cacert=ca))
    found = opened.endpoint(named(tls), "app")
    assert (found.origin, found.verified, tls.seen) == (f"https://{named(tls)}", True, [])
    assert get(opened, tls, f"https://{named(tls)}/v2/").status == 200
    with pytest.raises(RegistryUnavailable, match="plain http, which is refused"):
        get(opened, server, f"http://{named(server)}/v2/", authorization="Bearer secret")
    with pytest.raises(RegistryUnavailable, match="does not speak https"):
        get(opened, server, f"https://{named(server)}/v2/")
    with pytest.raises(RegistryUnavailable, match=r"certificate of other\.test.* is not trusted"):
        get(opened, tls, f"https://{named(tls, 'other.test')}/v2/")
    assert not any("Authorization" in seen.headers for seen in server.seen)


@pytest.mark.usefixtures("names")
def test_certificate_that_is_not_trusted_is_an_error_with_a_fix(
    tls: RegistryServer, transport: Open, clock: Clock
) -> None:
    with pytest.raises(RegistryUnavailable, match=rf"registry\.test.*not trusted.*--cacert.*--insecure {named(tls)}"):
        get(transport(), tls, f"https://{named(tls)}/v2/")
    assert (tls.seen, clock.waits) == ([], [])


@pytest.mark.usefixtures("names")
def test_host_that_is_configured_as_insecure_is_reached_in_the_best_way(
    server: RegistryServer, tls: RegistryServer, ca: Path, transport: Open
) -> None:
    plain, secure = named(server), named(tls)
    opened = transport(insecure(plain, secure))
    found = opened.endpoint(plain, "app")
    assert (found.origin, found.verified) == (f"http://{plain}", False)
    found = opened.endpoint(secure, "app")
    assert (found.origin, found.verified) == (f"https://{secure}", False)
    found = transport(replace(insecure(secure), cacert=ca)).endpoint(secure, "app")
    assert (found.origin, found.verified) == (f"https://{secure}", True)


@pytest.mark.usefixtures("names")
def test_way_to_a_host_that_worked_is_kept(tls: RegistryServer, transport: Open) -> None:
    hosts = insecure(named(tls))
    opened = transport(hosts)
    assert get(opened, tls, f"https://{named(tls)}/v2/").status == 200
    opened.hosts = replace(hosts, cacert=Path("/nowhere"))
    assert get(opened, tls, f"https://{named(tls)}/v2/").status == 200


@pytest.mark.usefixtures("names")
def test_redirect_from_https_to_plain_http_is_refused(
    server: RegistryServer, tls: RegistryServer, ca: Path, transport: Open
) -> None:
    hosts = replace(insecure(named(server)), cacert=ca)
    tls.add(redirect(f"http://{named(server)}/v2/"), times=ALWAYS)
    with pytest.raises(RegistryError, match="from https to plain http"):
        get(transport(hosts), tls, f"https://{named(tls)}/v2/")
    assert server.seen == []
    # Where https is not verified, it promises nothing.
    hosts = insecure(named(server), named(tls))
    assert get(transport(hosts), tls, f"https://{named(tls)}/v2/").status == 200


@pytest.mark.parametrize("name", ["app.localhost", "an_app.localhost", "localhost.", "app.localhost."])
def test_names_of_localhost_are_this_machine_without_dns(name: str, server: RegistryServer, transport: Open) -> None:
    assert get(transport(), server, f"http://{named(server, name)}/v2/").status == 200
    assert server.seen[0].headers["Host"] == named(server, name)


def test_cacert_without_certificates_is_a_wrong_setting(
    server: RegistryServer, transport: Open, tmp_path: Path
) -> None:
    for content in ("", "no certificate"):
        (tmp_path / "ca.pem").write_text(content)
        with pytest.raises(ConfigError, match="CA certificates"):
            get(transport(Hosts(cacert=tmp_path / "ca.pem")), server, f"https://{server.host}/v2/")


# Proxies


def test_proxy_is_asked_for_hosts_elsewhere_with_its_own_credentials(server: RegistryServer, transport: Open) -> None:
    proxies = Proxies(http=f"http://ada:s3cret@{server.host}", https=f"http://ada:s3cret@{server.host}")
    hosts = replace(insecure("far.example"), proxies=proxies)
    assert get(transport(hosts), server, "http://far.example/v2/").status == 200
    assert server.seen[0].path == "http://far.example/v2/"
    shown = {name.lower(): value for name, value in server.seen[0].headers.items()}
    assert shown["proxy-authorization"] == "Basic YWRhOnMzY3JldA=="
    with pytest.raises(RegistryUnavailable, match=f"proxy.*through the proxy http://{server.host}") as caught:
        get(transport(hosts), server, "https://far.example/v2/", again=False)
    assert "s3cret" not in str(caught.value)
    assert server.seen[-1].method == "CONNECT"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "ftp://127.0.0.1"])
def test_proxy_of_another_kind_is_a_wrong_setting(proxy: str, server: RegistryServer, transport: Open) -> None:
    hosts = replace(insecure("far.example"), proxies=Proxies(http=proxy))
    with pytest.raises(ConfigError, match="HTTP_PROXY"):
        get(transport(hosts), server, "http://far.example/v2/")


# What is said about it


def test_warning_is_passed_on_once(transport: Open, events: list[Event]) -> None:
    opened = transport()
    for message in ("a", "b", "a"):
        opened.tell(Event("warning", message))
    for _ in range(2):
        opened.tell(Event("retry", "c"))
    assert [event.message for event in events] == ["a", "b", "c", "c"]
    Transport(Hosts()).tell(Event("retry", "nobody listens"))


def test_queries_and_secrets_are_not_logged(
    server: RegistryServer, transport: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    get(transport(), server, "/v2/?signature=s3cret", authorization="Bearer s3cret")
    assert "/v2/" in caplog.text
    assert "s3cret" not in caplog.text
    # What others log through urllib3 is left as it is.
    logging.getLogger("urllib3.connectionpool").debug("%s", "/others?query")
    assert "/others?query" in caplog.text


def test_request_names_imgref_as_its_agent(server: RegistryServer, transport: Open) -> None:
    get(transport(), server, headers={"Accept": "text/x"})
    assert server.seen[0].headers["User-Agent"].startswith("imgref/")
    assert server.seen[0].headers["Accept"] == "text/x"


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    ("url", "words", "tries"),
    [
        ("http://127.0.0.1:1/v2/", "connection refused", 5),
        ("https://name.invalid/v2/", "not known to DNS", 1),
        ("https://later.invalid/v2/", "not known to DNS", 5),
    ],
)
def test_request_that_cannot_be_sent_has_the_reason(
    url: str, words: str, tries: int, server: RegistryServer, transport: Open, clock: Clock
) -> None:
    with pytest.raises(RegistryError, match=words):
        get(transport(), server, url)
    assert len(clock.waits) == tries - 1


def test_body_that_cannot_be_read_fails_the_request(server: RegistryServer, transport: Open, clock: Clock) -> None:
    def gone() -> Iterator[bytes]:
        yield b"x"
        raise OSError(5, "Input/output error")

    with pytest.raises(RegistryUnavailable, match="input/output error"):
        get(transport(), server, method="PUT", body=gone, headers={"Content-Length": "5"})
    assert len(clock.waits) == 4


def test_request_with_a_header_that_cannot_be_sent_is_not_tried_again(
    server: RegistryServer, transport: Open, clock: Clock
) -> None:
    with pytest.raises(RegistryUnavailable, match=f"^app: {server.host}") as caught:
        get(transport(), server, headers={"X-Split": "a\r\nb: c"})
    assert (caught.value.method, caught.value.url) == ("GET", f"http://{server.host}/v2/")
    assert (server.seen, clock.waits) == ([], [])


@pytest.mark.usefixtures("names")
def test_network_that_is_configured_as_insecure_applies_to_the_addresses_of_a_name(
    server: RegistryServer, transport: Open
) -> None:
    hosts = insecure("127.0.0.0/8")
    assert transport(hosts).endpoint(named(server), "app").origin == f"http://{named(server)}"
    assert transport(insecure("10.0.0.0/8")).endpoint(named(server), "app").origin == f"https://{named(server)}"
    # A name without addresses is in no network.
    assert transport(hosts).endpoint("name.invalid", "app").origin == "https://name.invalid"


@pytest.mark.usefixtures("names")
def test_endpoint_of_docker_hub_is_the_host_that_serves_it(transport: Open) -> None:
    found = transport().endpoint("docker.io", "app")
    assert (found.registry, found.origin, found.verified) == ("docker.io", "https://registry-1.docker.io", True)


@pytest.mark.usefixtures("names")
def test_connection_that_breaks_is_not_repeated_without_verification(
    tls: RegistryServer, ca: Path, transport: Open
) -> None:
    tls.add(reset_before, times=ALWAYS)
    with pytest.raises(RegistryUnavailable, match="the connection was"):
        get(transport(replace(insecure(named(tls)), cacert=ca)), tls, f"https://{named(tls)}/v2/", again=False)
    assert len(tls.seen) == 1
