"""What networks and registries do now and then: each fault is survived, or reported as what it is.

The table below says which; ``ok`` is what a command prints in spite of the fault, ``error`` a part of its message.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from e2e import fault_proxy as faults
from e2e.commands import Home
from e2e.fault_proxy import Action, FaultProxy
from e2e.images import OCI, link_tags, put_image
from e2e.servers import Registry

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]

MANIFESTS, TAGS = "/manifests/", "/tags/list"


@dataclass
class Case:
    command: str
    method: str
    path: str
    action: Action
    times: int = 1
    ok: str = ""
    error: str = ""
    retried: bool = False
    timeout: str = "5"


CASES = {
    "429 with Retry-After": Case("ls", "GET", TAGS, faults.status(429, Retry_After="1"), ok="1.0.0", retried=True),
    "429 for good": Case("ls", "GET", TAGS, faults.status(429, Retry_After="0"), -1, error="limits requests"),
    "429 for an hour": Case("ls", "GET", TAGS, faults.status(429, Retry_After="3600"), error="after 3600 s"),
    "503 twice": Case("ls", "GET", TAGS, faults.status(503), 2, ok="1.0.0", retried=True),
    "503 for good": Case("digest", "HEAD", MANIFESTS, faults.status(503), -1, error="returns HTTP status 503"),
    "503 at the first contact": Case("ls", "GET", "/v2/$", faults.status(503), ok="1.0.0"),
    "429 at the first contact": Case(
        "ls", "GET", "/v2/$", faults.status(429, Retry_After="1"), ok="1.0.0", retried=True
    ),
    "500 once": Case("inspect", "GET", MANIFESTS, faults.status(500), ok="linux/amd64", retried=True),
    "502 on a put": Case("tag", "PUT", MANIFESTS, faults.status(502), ok="new@", retried=True),
    "reset before the answer": Case("ls", "GET", TAGS, faults.reset_before, 2, ok="1.0.0", retried=True),
    "reset inside the answer": Case("ls", "GET", TAGS, faults.reset_in_answer, 2, ok="1.0.0", retried=True),
    "cut inside the answer": Case("ls", "GET", TAGS, faults.cut_in_answer, 2, ok="1.0.0", retried=True),
    "cut inside a blob": Case("inspect", "GET", "/blobs/", faults.cut_in_answer, ok="linux/amd64", retried=True),
    "reset inside a blob": Case("inspect", "GET", "/blobs/", faults.reset_in_answer, ok="linux/amd64", retried=True),
    "reset for good": Case("digest", "HEAD", MANIFESTS, faults.reset_before, -1, error="the connection was"),
    "reset inside a put": Case("tag", "PUT", MANIFESTS, faults.reset_in_request, ok="new@", retried=True),
    "the answer to a put lost": Case("tag", "PUT", MANIFESTS, faults.lost, ok="new@", retried=True),
    "a slow body": Case("inspect", "GET", MANIFESTS, faults.slow(0.2), ok="linux/amd64"),
    "silence": Case("ls", "GET", TAGS, faults.silent(3), ok="1.0.0", retried=True, timeout="1"),
    "pages": Case("ls", "GET", TAGS, faults.paged(1), -1, ok="1.0.0"),
    "pages by absolute links": Case("ls", "GET", TAGS, faults.paged(2, absolute=True), -1, ok="1.0.0"),
    "a page on another host": Case(
        "ls", "GET", TAGS, faults.paged(1, host="evil.test"), error="on another host, evil.test"
    ),
    "no list of tags": Case("ls", "GET", TAGS, faults.without_tags),
    "a page of HTML": Case("ls", "GET", TAGS, faults.html, error="an HTML page came instead of JSON"),
    "HTML as a manifest": Case("inspect", "GET", MANIFESTS, faults.html, error="an HTML page came"),
    "404 with HTML": Case("ls", "GET", TAGS, faults.status(404, b"<html>", Content_Type="text/html"), error="HTML"),
    "a damaged manifest": Case("inspect", "GET", MANIFESTS, faults.damaged, error="the manifest that came is sha256:"),
    "a damaged blob": Case("inspect", "GET", "/blobs/", faults.damaged, error="the content that came is sha256:"),
    "another digest": Case(
        "inspect",
        "GET",
        MANIFESTS,
        faults.header("Docker-Content-Digest", "sha256:" + 64 * "0"),
        error="and not sha256:00",
    ),
    "no digest": Case(
        "digest",
        "HEAD",
        MANIFESTS,
        faults.header("Docker-Content-Digest", "sha256:x"),
        error="which is not a valid digest",
    ),
    "no digest header": Case("digest", "HEAD", MANIFESTS, faults.header("Docker-Content-Digest", None), ok="sha256:"),
    "HEAD not allowed": Case("digest", "HEAD", MANIFESTS, faults.status(405), ok="sha256:"),
    "no permission": Case("ls", "GET", TAGS, faults.status(403), error="no permission to read it without credentials"),
    "redirects without end": Case("ls", "GET", TAGS, faults.redirect("{path}"), -1, error="more than 5 redirects"),
    "a redirect to nowhere": Case(
        "ls", "GET", TAGS, faults.redirect("ftp://x/"), error="redirects to an invalid address"
    ),
    "a teapot": Case("ls", "GET", TAGS, faults.status(418), error="answers 418 to GET"),
}


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("name", CASES)
def test_fault(name: str, faulty: FaultProxy, plain: Registry, home: Home, unique: Unique) -> None:
    case = CASES[name]
    path = unique("app")
    put_image(plain, path, "1.0.0")
    put_image(plain, path, "0.9.0", text="another")
    faulty.add(case.action, case.method, case.path, case.times)
    reference = f"{faulty.host}/{path}" + ("" if case.command == "ls" else ":1.0.0")
    new = ["new"] if case.command == "tag" else []
    ran = home.imgref(case.command, reference, *new, "--timeout", case.timeout)
    assert "Traceback" not in ran.err
    if case.error:
        assert (ran.code, ran.out) == (3, "")
        last = ran.err.splitlines()[-1]
        assert last.startswith(f"error: {faulty.host}/{path}")
        assert case.error in last
    else:
        assert ran.code == 0, ran.err
        assert ("trying again in" in ran.err) == case.retried
        assert case.ok in ran.out
        if case.command == "ls" and case.ok:
            assert ran.out.split() == ["1.0.0", "0.9.0"]


def test_retry_after_is_waited_for(faulty: FaultProxy, plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(plain, path, "1.0.0")
    faulty.add(faults.status(429, Retry_After="1"), "GET", TAGS)
    started = time.monotonic()
    ran = home.imgref("ls", f"{faulty.host}/{path}")
    assert ran.out == "1.0.0\n"
    assert time.monotonic() - started >= 1.0
    assert f"{faulty.host}/{path}: HTTP status 429; trying again in 1." in ran.err
    assert "(2 of 5)" in ran.err


def test_500_tags_in_pages(faulty: FaultProxy, plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("many")
    image = put_image(plain, path, "0.0.0")
    names = [f"1.{number // 100}.{number % 100}" for number in range(499)]
    link_tags(plain, path, image, names)
    faulty.add(faults.paged(20), "GET", TAGS, -1)
    listed = home.imgref("ls", f"{faulty.host}/{path}").out.split()
    assert listed == [*reversed(names), "0.0.0"]
    assert faulty.count("GET", TAGS) == 25
    assert all("from%3A=" in seen.path and "sig=a%2Fb+c" in seen.path for seen in faulty.seen[-24:])


def test_a_redirect_to_another_host_carries_no_credentials(htpasswd: Registry, home: Home, unique: Unique) -> None:
    """The way of registries that keep blobs elsewhere; another port is another host."""
    from e2e.servers import PASSWORD, USER

    path = unique("app")
    put_image(htpasswd, path, "1.0.0")
    with faults.run_fault_proxy(htpasswd.host) as registry, faults.run_fault_proxy(htpasswd.host) as elsewhere:
        login = home.imgref("login", registry.host, "-u", USER, "--password-stdin", input=PASSWORD)
        assert login.code == 0, login.err
        elsewhere.add(faults.status(200, json.dumps({"tags": ["1.0.0"]}).encode()), times=-1)
        registry.add(faults.redirect(f"http://{elsewhere.host}{{path}}"), "GET", TAGS)
        ran = home.imgref("ls", f"{registry.host}/{path}")
        assert ran.out == "1.0.0\n", ran.err
        assert any("Authorization" in seen.headers for seen in registry.seen)
        assert elsewhere.seen
        assert not any("Authorization" in seen.headers for seen in elsewhere.seen)


def test_a_token_that_is_not_taken_is_asked_for_again(token: Registry, home: Home, unique: Unique) -> None:
    from e2e.servers import PASSWORD, USER

    path = unique("app")
    put_image(token, path, "1.0.0")
    assert token.tokens is not None
    with faults.run_fault_proxy(token.host) as registry:
        home.imgref("login", registry.host, "-u", USER, "--password-stdin", input=PASSWORD)
        challenge = f'Bearer realm="{token.tokens.realm}",service="{token.tokens.service}",error="invalid_token"'
        registry.add(faults.status(401, WWW_Authenticate=challenge), "GET", TAGS)
        before = len(token.tokens.asked)
        ran = home.imgref("ls", f"{registry.host}/{path}")
        assert ran.out == "1.0.0\n", ran.err
        assert len(token.tokens.asked) - before == 2
        registry.add(faults.status(401, WWW_Authenticate=challenge), "GET", TAGS, times=-1)
        ran = home.imgref("ls", f"{registry.host}/{path}")
        assert (ran.code, ran.out) == (3, "")
        assert registry.count("GET", TAGS) == 4
        assert "does not accept the credentials of 'ada'" in ran.err


def test_what_is_put_is_read_back(faulty: FaultProxy, plain: Registry, home: Home, unique: Unique) -> None:
    """Another push right after ours must not pass for ours."""
    path = unique("app")
    put_image(plain, path, "1.0.0")
    other = put_image(plain, path, "other", OCI, text="another")
    faulty.add(faults.header("Docker-Content-Digest", other.digest), "HEAD", "/manifests/new", -1)
    ran = home.imgref("tag", f"{faulty.host}/{path}:1.0.0", "new")
    assert ran.code == 3
    assert f"but {other.digest} is read back" in ran.err


@pytest.mark.usefixtures("short_waits")
def test_connection_refused(home: Home) -> None:
    from e2e.servers import free_port

    host = f"127.0.0.1:{free_port()}"
    ran = home.imgref("ls", f"{host}/app")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines()[-1] == f"error: {host}/app: connection refused; nothing listens there"
    assert ran.err.count("trying again") == 4


def test_no_such_host(home: Home) -> None:
    ran = home.imgref("digest", "registry.invalid/app:1")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "error: registry.invalid/app:1: the name is not known to DNS\n"


@pytest.mark.parametrize(
    "action", [faults.silent(30), faults.status(503, Retry_After="30")], ids=["reading", "waiting"]
)
def test_an_interrupt_stops_at_once(
    action: Action, faulty: FaultProxy, plain: Registry, home: Home, unique: Unique
) -> None:
    path = unique("app")
    put_image(plain, path, "1.0.0")
    faulty.add(action, "GET", TAGS, -1)
    command = [sys.executable, "-m", "imgref", "ls", f"{faulty.host}/{path}"]
    with subprocess.Popen(command, env=home.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not faulty.count("GET", TAGS):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert out == b""
    assert err.endswith(b"error: interrupted\n")
