"""When output has colors: NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM, on a terminal and in a pipe."""

from __future__ import annotations

import io
import os

import pytest
from vectors import clean_environ, imgref

from imgref.cli._console import styled


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


CASES = [
    ({}, True, False),
    ({"NO_COLOR": ""}, True, False),
    ({"NO_COLOR": "1"}, False, False),
    ({"NO_COLOR": "1", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}, False, False),
    ({"FORCE_COLOR": "1"}, True, True),
    ({"FORCE_COLOR": "0"}, True, False),
    ({"FORCE_COLOR": ""}, True, False),
    ({"CLICOLOR_FORCE": "1"}, True, True),
    ({"CLICOLOR_FORCE": "0"}, True, False),
    ({"CLICOLOR": "0"}, False, False),
    ({"CLICOLOR": "0", "FORCE_COLOR": "1"}, True, True),
    ({"TERM": "dumb"}, False, False),
]


@pytest.mark.parametrize(("variables", "on_terminal", "in_pipe"), CASES)
def test_styled_with_variables_follows_them(
    variables: dict[str, str], on_terminal: bool, in_pipe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (styled("a", "red", Terminal()) != "a") is on_terminal
    assert (styled("a", "red", io.StringIO()) != "a") is in_pipe


@pytest.mark.parametrize(
    "arguments",
    [("parse", "Acme/App:1"), ("parse", "nginx", "--format", "table"), ("tags", "1.2.3", "--format", "table"),
     ("ci", "--nope"), ("info",), ("check", "--format", "full", ".")],
)  # fmt: skip
def test_command_in_a_pipe_has_colors_only_if_forced(arguments: tuple[str, ...]) -> None:
    folder = os.path.join(os.path.dirname(__file__), "..", "data")
    arguments = tuple(folder if word == "." else word for word in arguments)
    environ = clean_environ(TERM="xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR"):
        environ.pop(name, None)
    plain = imgref(*arguments, environ=environ)
    assert "\x1b" not in plain.stdout + plain.stderr
    forced = imgref(*arguments, environ=environ | {"FORCE_COLOR": "1"})
    assert "\x1b[" in forced.stdout + forced.stderr
    assert forced.exit == plain.exit
