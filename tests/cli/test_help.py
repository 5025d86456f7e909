"""The help of commands: headings, examples, and ``imgref help``."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from docs.commands import imgref_problems
from tables import each
from vectors import imgref

from imgref.cli._help import EXAMPLES, HEADINGS
from imgref.cli.main import COMMANDS, cli

CONTEXT = click.Context(cli, info_name="imgref", **cli.context_settings)


def help_of(name: str) -> str:
    command = cli.get_command(CONTEXT, name)
    assert command is not None
    with click.Context(command, info_name=name, parent=CONTEXT, terminal_width=100) as inner:
        return command.get_help(inner)


@each("name", sorted(set(COMMANDS) - {"completion", "index"}))
def test_help_shows_examples_once(name: str) -> None:
    assert help_of(name).count("Examples:") == 1


@each("example", [example for examples in EXAMPLES.values() for example in examples])
def test_examples_are_accepted(example: str) -> None:
    for part in re.split(r" \| | > \S+", example):
        words = shlex.split(part)
        if words and words[0] == "imgref":
            assert list(imgref_problems(words[1:])) == []


def test_help_puts_options_under_headings_in_order() -> None:
    text = help_of("check")
    headings = re.findall(r"^(\w+):", text, re.MULTILINE)
    assert headings == ["Usage", "Options", "Policy", "Output", "Registry", "Examples"]
    assert text.index("Output:") < text.index("--format") < text.index("Registry:") < text.index("--insecure")


def test_headings_have_options_that_exist() -> None:
    known = set()
    for name in COMMANDS:
        command = cli.get_command(CONTEXT, name)
        assert command is not None
        known |= {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {option for options in HEADINGS.values() for option in options} <= known


@pytest.mark.parametrize("arguments", [[], ["parse"], ["pars"]])
def test_help_command_is_the_help_option(arguments: list[str]) -> None:
    assert imgref("help", *arguments) == imgref(*arguments, "--help")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prase", "x"], "error: no such command 'prase'; did you mean 'parse'?"),
        (["help", "prase"], "error: no such command 'prase'; did you mean 'parse'?"),
        (["tags", "1.2.3", "--exsiting", "git"], "error: no such option '--exsiting'; did you mean '--existing'?"),
        (["parse", "--formt", "json", "x"], "error: no such option '--formt'; did you mean '--format'?"),
        (["tags", "1.2.3", "--scheme", "semvr"], "'semver', 'pep440', 'numeric'; did you mean 'semver'?"),
        (["parse", "--zzz", "x"], "error: no such option '--zzz'\n"),
        (["ls"], "error: missing argument 'REPO'\n"),
    ],
)
def test_usage_error_suggests_the_nearest_name(arguments: list[str], message: str) -> None:
    done = imgref(*arguments)
    assert (done.exit, done.stdout) == (2, "")
    assert message in done.stderr
    assert "help: imgref" in done.stderr
