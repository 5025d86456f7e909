"""What a host name means: to requests, to credentials, and to lists of insecure registries."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each
from vectors import ROOT, clean_environ

from imgref.hosts import (
    HostPattern,
    canonical,
    in_network,
    is_docker_hub,
    is_localhost,
    is_loopback,
    served_by,
    split_host,
)
from imgref.reference import parse


@each(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST:5000", True),
        ("a.b.localhost:1", True),
        ("a_b.localhost", True),
        ("localhost.", True),
        ("a.localhost.:5000", True),
        ("127.0.0.1", True),
        ("127.255.0.9:80", True),
        ("::1", True),
        ("[::1]:5000", True),
        ("", False),
        (".localhost", False),
        ("a..localhost", False),
        ("localhost..", False),
        ("x@y.localhost", False),
        ("a/b.localhost", False),
        ("localhost-", False),
        ("evillocalhost", False),
        ("localhost.evil.com", False),
        ("127.0.0.1.evil.com", False),
        ("localhost:", False),
        ("localhost:x", False),
        ("localhost:999999", False),
        ("[localhost]", False),
        ("[127.0.0.1]", False),
        ("[::1", False),
        ("::1%lo", False),
        ("[::ffff:127.0.0.1]", False),
        ("[::2]", False),
        ("127.1", False),
        ("0x7f.0.0.1", False),
        ("127.0.0.01", False),
        ("128.0.0.1", False),
        ("0.0.0.0", False),
        ("127.0.0.0/8", False),
        ("http://localhost:5000/", False),
        (" localhost", False),
        ("\u24db\u24de\u24d2alhost", False),
    ],
)
def test_is_loopback_by_name_alone(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@given(st.from_regex(r"127\.0\.0\.1[a-z0-9.-]*\.[a-z]{2,9}(:[0-9]{1,5})?", fullmatch=True))
def test_is_loopback_name_that_begins_like_an_address_is_a_name(host: str) -> None:
    assert is_loopback(host) == is_localhost(split_host(host)[0])


@each(
    ("host", "expected"),
    [
        ("r.example", ("r.example", None)),
        ("R.Example:443", ("r.example", 443)),
        ("[FD00::1]:5000", ("fd00::1", 5000)),
        ("[::1]", ("::1", None)),
        ("::1", ("::1", None)),
        ("[::1", ("[::1", None)),
        ("r.example:", ("r.example:", None)),
        ("r.example:\u0661", ("r.example:\u0661", None)),
        ("r.example:123456", ("r.example:123456", None)),
    ],
)
def test_split_host(host: str, expected: tuple[str, int | None]) -> None:
    assert split_host(host) == expected


@pytest.mark.parametrize(
    ("host", "registry", "stored", "server"),
    [
        ("docker.io", "docker.io", True, "registry-1.docker.io"),
        ("Docker.io", "docker.io", True, "Docker.io"),
        ("index.docker.io", "docker.io", True, "index.docker.io"),
        ("registry-1.docker.io", "registry-1.docker.io", True, "registry-1.docker.io"),
        ("hub.docker.io", "hub.docker.io", False, "hub.docker.io"),
        ("docker.io.evil.com", "docker.io.evil.com", False, "docker.io.evil.com"),
    ],
)
def test_docker_hub_names(host: str, registry: str, stored: bool, server: str) -> None:
    assert (canonical(host), is_docker_hub(host), served_by(host)) == (registry, stored, server)


@pytest.mark.parametrize("host", ["docker.io", "index.docker.io", "registry-1.docker.io", "quay.io"])
def test_canonical_agrees_with_references(host: str) -> None:
    assert parse(f"{host}/a/b").registry == canonical(host)


@each(
    ("pattern", "matching", "other"),
    [
        ("registry.local:5001", ["registry.local:5001/a"], ["registry.local/a", "registry.local:5002/a"]),
        ("http://registry.local:5001/", ["registry.local:5001/a"], ["registry.local/a"]),
        ("Registry.Local", ["registry.local/a"], ["registry.local:1/a"]),
        ("HTTPS://registry.local", ["registry.local/a"], []),
        ("*.local", ["a.local/b", "a.b.local/c"], ["local.a/b", "evil-local.com/b", "a.local:1/b"]),
        ("*.local:*", ["a.local:5000/b"], ["a.local/b"]),
        ("a*b*b.io", ["ab-b.io/x", "abbb.io/x"], ["ab.io/x", "ac.io/x"]),
        ("registry.local/team", ["registry.local/team/a", "registry.local/team"], ["registry.local/teams/a"]),
        ("10.0.0.0/8", ["10.1.2.3:5000/a", "10.1.2.3/a"], ["11.0.0.1/a", "registry.local/a", "[::1]/a"]),
        ("10.0.0.0/255.0.0.0", ["10.1.2.3/a"], ["11.0.0.1/a"]),
        ("fd00::/8", ["[fd00::1]:5000/a"], ["10.0.0.1/a"]),
        ("index.docker.io", ["nginx"], ["quay.io/a"]),
        ("docker.io", ["nginx"], ["registry-1.docker.io/library/nginx"]),
        ("", [], ["nginx"]),
        ("/", [], ["nginx"]),
    ],
)
def test_host_pattern_matches(pattern: str, matching: list[str], other: list[str]) -> None:
    def matches(text: str) -> bool:
        ref = parse(text)
        return HostPattern(pattern).matches(ref.registry, ref.path)

    assert [text for text in matching if not matches(text)] == []
    assert [text for text in other if matches(text)] == []


def test_host_pattern_network_contains_the_addresses_of_a_name() -> None:
    pattern = HostPattern("10.0.0.0/8")
    assert pattern.matches("registry.local", addresses=["192.0.2.1", "10.1.0.9"])
    assert not pattern.matches("registry.local", addresses=["192.0.2.1"])


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_host_pattern_wildcard_is_any_run_of_characters(pattern: str, host: str) -> None:
    def slowly(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(slowly(pattern[1:], text[at:]) for at in range(len(text) + 1))
        return text[:1] == pattern[0] and slowly(pattern[1:], text[1:])

    assert HostPattern(pattern).matches(host) is (bool(pattern) and slowly(pattern, host))


@each(
    ("pattern", "expected"),
    [
        ("localhost", True),
        ("http://localhost:5000/", True),
        ("localhost/team", True),
        (" 127.0.0.1:5000 ", True),
        ("127.0.0.0/8", True),
        ("127.1.0.0/16", True),
        ("::1/128", True),
        ("126.0.0.0/7", False),
        ("::/0", False),
        ("0.0.0.0/0", False),
        ("10.0.0.0/8", False),
        ("*.localhost:5000", True),
        ("*.127.0.0.1", False),
        ("*", False),
        ("registry.local:5001", False),
        ("", False),
    ],
)
def test_host_pattern_is_loopback_if_all_that_matches_is(pattern: str, expected: bool) -> None:
    assert HostPattern(pattern).is_loopback is expected


def test_host_pattern_is_compared_by_its_text_and_can_be_pickled() -> None:
    pattern = HostPattern("10.0.0.0/8")
    copied = pickle.loads(pickle.dumps(pattern))
    assert copied == pattern
    assert hash(copied) == hash(pattern)
    assert copied != HostPattern("10.0.0.0/9")
    assert copied != "10.0.0.0/8"
    assert copied.matches("10.0.0.1")


@pytest.mark.parametrize("network", ["not-a-network", "10.0.0.0/99", "10.0.0.0", ""])
def test_in_network_without_a_valid_network_is_false(network: str) -> None:
    assert not in_network("10.0.0.1", network)


def test_import_of_hosts_loads_no_ipaddress_and_no_dataclasses() -> None:
    script = "import sys, imgref.hosts; print(*sys.modules)"
    command = [sys.executable, "-S", "-c", script]
    environ = clean_environ() | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
    assert not {"ipaddress", "dataclasses", "pathlib"} & set(done.stdout.split())
