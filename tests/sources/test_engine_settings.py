"""Engine settings: which registries they declare insecure, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tables import each

from imgref.sources.engine_settings import read_daemon_json, read_registries_conf

if TYPE_CHECKING:
    from imgref.sources.occurrence import Reading


def _declared(reading: Reading) -> list[tuple[int, int, str]]:
    return [(one.line, one.column, one.host) for one in reading.declarations]


@each(
    ("text", "expected"),
    [
        ("", []),
        (" \n", []),
        ("{}", []),
        ('{"insecure-registries": null}', []),
        ('{"insecure-registries": []}', []),
        ('{"Insecure-Registries": ["a:1"]}', []),
        ('{"x": {"insecure-registries": ["a:1"]}}', []),
        ('{"insecure-registries": ["a:1"]}', [(1, 27, "a:1")]),
        ('{\r\n  "debug" : true ,\r\n  "insecure-registries" : [ "a:1",\r\n\t"b" ]\r\n}\r\n',
         [(3, 30, "a:1"), (4, 3, "b")]),
        ('{"insecure-registries": ["10.0.0.0/8", "::1/128", "127.0.0.1:5000", ""]}',
         [(1, 27, "10.0.0.0/8"), (1, 41, "::1/128"), (1, 52, "127.0.0.1:5000")]),
        ('{"insecure-registries": ["http://a:1", "HTTPS://b/c/"]}', [(1, 34, "a:1"), (1, 49, "b")]),
        ('{"insecure-registries": ["a"], "insecure-registries": ["b"]}', [(1, 57, "b")]),
        ('{"é": 1, "insecure-registries": ["r\\u0065g:1"]}', [(1, 35, "reg:1")]),
    ],
)  # fmt: skip
def test_daemon_json(text: str, expected: list[tuple[int, int, str]]) -> None:
    reading = read_daemon_json(text)
    assert _declared(reading) == expected
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("{", (1, 2), "this is not valid JSON"),
        ('{\n  "a": tru\n}', (2, 8), "this is not valid JSON"),
        ("[]", (1, 1), "a JSON object"),
        ('{"insecure-registries": "a"}', (1, 25), "must be an array of strings"),
        ('{"insecure-registries": ["a", 1]}', (1, 31), "not '1'"),
        ('{"a": ' + "[" * 100_000, (1, 1), "nested too deeply"),
        ('{"a": ' + "1" * 10_000 + "}", (1, 1), "too many digits"),
    ],
)
def test_daemon_json_that_cannot_be_read(text: str, place: tuple[int, int], message: str) -> None:
    (problem,) = read_daemon_json(text).problems
    assert ((problem.line, problem.column), problem.code) == (place, "IMG901")
    assert message in problem.message


CONF = """\
unqualified-search-registries = ["docker.io"]

[[registry]]  # one
prefix = "*.example.com"
insecure = true
[[registry]]
location='internal:5000/team'
blocked = true
insecure = true
[[registry]]
location = "safe.example.com"
[[registry.mirror]]
location = "mirror-one:5000"
[[registry.mirror]]
"insecure" = true
location = '''mirror-two:5000/x'''
[[registry]]
location = "registry.local:5001"
insecure = true
[[registry.mirror]]
location = "mirror-three"
insecure = true

[aliases]
"a.b" = 'c' # ' "
date = 2024-01-01 10:00:00
inline = { a = [1, 2, { b = "]" }], c.d = 1.5 }
"""


def test_registries_conf_of_the_second_version() -> None:
    reading = read_registries_conf(CONF)
    assert reading.problems == ()
    expected = [
        (4, 11, "*.example.com"),
        (16, 15, "mirror-two:5000"),
        (18, 13, "registry.local:5001"),
        (21, 13, "mirror-three"),
    ]
    assert _declared(reading) == expected
    assert _declared(read_registries_conf(CONF.replace("\n", "\r\n"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("[registries.search]\nregistries = ['a']\n[registries.insecure]\nregistries = [\n  'b:1', # c\n  \"d\",\n]\n",
         [(5, 4, "b:1"), (6, 4, "d")]),
        ("registries.insecure.registries = ['b:1']", [(1, 36, "b:1")]),
        ("registries = {insecure = {registries = ['b:1']}}", [(1, 42, "b:1")]),
        ('registry = [{insecure = true, location = "a", mirror = [{location = "b", insecure = true}]}]',
         [(1, 43, "a"), (1, 70, "b")]),
        ("registry = 1\n[registries]\ninsecure = 2", []),
        ("[[registry]]\ninsecure = true", []),
        ('[[registry]]\nlocation = ""\nprefix = "p"\ninsecure = true', [(3, 11, "p")]),
    ],
)  # fmt: skip
def test_registries_conf(text: str, expected: list[tuple[int, int, str]]) -> None:
    reading = read_registries_conf(text)
    assert _declared(reading) == expected
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a = \nb = 1", (1, 5), "this is not valid TOML: "),
        ('a = "', (1, 6), "this is not valid TOML: "),
        ("[[registry]]\nlocation = 'a'\ninsecure = 'yes'", (3, 12), "either true or false"),
        ("[[registry]]\nlocation = 1\ninsecure = true", (2, 12), "not '1'"),
        ("a = " + "[" * 5000, (1, 1), "nested too deeply"),
    ],
)
def test_registries_conf_that_cannot_be_read(text: str, place: tuple[int, int], message: str) -> None:
    (problem,) = read_registries_conf(text).problems
    assert ((problem.line, problem.column), problem.code) == (place, "IMG901")
    assert message in problem.message
