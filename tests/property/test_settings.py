"""Settings of any content: every command that reads them ends with an exit code, never with a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from property.test_secrets import run
from tables import each

KEYS = st.sampled_from(
    [
        "check",
        "tags",
        "extends",
        "tool",
        "imgref",
        "select",
        "ignore",
        "allowed",
        "denied",
        "golden",
        "golden-scope",
        "insecure-registries",
        "exclude",
        "per-file-ignores",
        "exceptions",
        "image",
        "rules",
        "reason",
        "expires",
        "scheme",
        "prefix",
        "suffix",
        "v",
        "latest",
        "major-zero",
        "existing",
        "registry",
        "location",
        "prefix",
        "insecure",
        "mirror",
        "blocked",
        "registries",
        "auths",
        "credHelpers",
        "credsStore",
        "auth",
        "x",
    ]
)
SCALARS = st.one_of(
    st.sampled_from(
        [
            "1",
            "-1",
            "1.5",
            "nan",
            "inf",
            "true",
            "2027-01-01",
            "2027-01-01T00:00:00Z",
            "9" * 4301,
            "9" * 4300,
            "0x" + "f" * 5000,
            "9223372036854775807",
            '""',
            '"official"',
            '"IMG101"',
            '"nginx"',
            '"a\\u0000b"',
            '"\\uFFFF\\U0010FFFF"',
            '"' + "x" * 300 + '"',
            "[" * 5000 + "]" * 5000,
            "{a=" * 1100 + "1" + "}" * 1100,
            "[" * 90 + "]" * 90,
            "[[1], {a = 1}]",
        ]
    ),
    st.text(max_size=10).map(json.dumps),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3).map(lambda items: f"[{', '.join(items)}]"))
LINES = st.one_of(
    st.builds("{} = {}".format, KEYS, VALUES),
    st.builds("{}.{} = {}".format, KEYS, KEYS, VALUES),
    st.builds("[{}]".format, KEYS),
    st.builds("[tool.imgref.{}]".format, KEYS),
    st.builds("[{}.{}]".format, KEYS, KEYS),
    st.builds("[[{}]]".format, KEYS),
    st.builds("[[{}.{}]]".format, KEYS, KEYS),
    st.just("a" + ".a" * 1100 + " = 1"),
    st.just("[check" + ".a" * 1100 + "]"),
)
TOML = st.lists(LINES, max_size=4).map("\n".join)

CASES = {
    "pyproject.toml": [
        "[tool]\nimgref = 1",
        "[[tool.imgref]]\n",
        "[[tool]]\nimgref = 1",
        "tool = 'imgref'",
        "[tool.imgref]\ncheck = 1",
        '[tool.imgref]\nextends = "a\\u0000b"',
    ],
    ".imgref.toml": [
        'extends = "a\\u0000b"',
        '[tags]\nexisting = "a\\u0000b"',
        '[check]\nexclude = ["a\\u0000b"]',
        '[check.per-file-ignores]\n"a\\u0000b" = "IMG101"',
        f"[check]\nallowed = {'9' * 4301}",
        f"[check]\nallowed = 0x{'f' * 5000}",
        f"[check]\nallowed = {'[' * 5000}{']' * 5000}",
        f"[check.allowed{'.a' * 5000}]\n",
        f"x{'.a' * 5000} = 1",
        "[[check]]",
        "[[tags]]",
        "[[check.exceptions]]\nimage = 1",
        "[check]\nexceptions = [1]",
        "extends = ['a']",
    ],
}


@contextlib.contextmanager
def home() -> Iterator[None]:
    """Begin in an empty directory, which is the home as well."""
    with (
        tempfile.TemporaryDirectory() as directory,
        contextlib.chdir(directory),
        mock.patch.dict(os.environ, {"HOME": directory, "NO_COLOR": "1"}),
    ):
        yield


def read_settings(name: str, content: str) -> None:
    with home():
        for place in (name, "home.toml", "registries.conf", ".config/imgref/config.toml"):
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            Path(place).write_text(content, encoding="utf-8", errors="surrogatepass")
        Path("Dockerfile").write_text("FROM nginx\n", encoding="utf-8")
        for command in ("check", "check --config home.toml", "tags 1.2.3", "tags 1.2.3 --show-config", "info"):
            run(*command.split())


@each(("name", "content"), [(name, content) for name in CASES for content in CASES[name]])
def test_settings_of_a_wrong_shape_are_an_error_with_the_file(name: str, content: str) -> None:
    with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
        Path(name).write_text(content, encoding="utf-8")
        said = run("tags", "1.2.3")
    if "[[tool]]" in content or "tool = " in content:
        assert said == "1.2.3\n1.2\n1\nlatest\n"
    elif "[check" in content and "[[check]]" not in content and "9" * 99 not in content and "f" * 99 not in content:
        assert name in said or said.startswith("1.2.3")
    else:
        assert said.startswith(f"error: {name}") or f"{name}" in said


@settings(max_examples=examples(0.5))
@given(st.sampled_from([".imgref.toml", "pyproject.toml"]), TOML)
def test_any_settings_end_with_an_exit_code(name: str, content: str) -> None:
    read_settings(name, content)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.just(10**4299),
        st.just(float("inf")),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
)
DEEP = st.sampled_from(
    ["[" * 100_000, "[" * 900 + "]" * 900, '{"auths":' * 900 + "1" + "}" * 900, "9" * 5000, '"\\ud800"']
)


@settings(max_examples=examples(0.5))
@given(st.one_of(JSON.map(json.dumps), DEEP))
def test_any_json_ends_with_an_exit_code(content: str) -> None:
    with home():
        for place in ("daemon.json", ".docker/config.json", ".config/docker/daemon.json", "base.json"):
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            Path(place).write_text(content, encoding="utf-8")
        Path("Dockerfile").write_text("FROM nginx\n", encoding="utf-8")
        for command in ("check", "check --format=json", "check --baseline base.json", "info", "logout x.example"):
            run(*command.split())
