"""Finds the commands in a piece of shell, and checks those of imgref against the options that they really have."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click

from imgref.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]

SUBSTITUTION = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)")
HEREDOC = re.compile(r"<<-?'?(\w+)'?(.*)\n(?:.*\n)*?\s*\1$", re.MULTILINE)
WORDS_OF_SHELL = {"if", "then", "else", "do", "while", "!", "{", "exec", "time", "env"}


def shell_problems(script: str) -> Iterator[str]:
    """Report what is wrong with a script: its syntax, and the commands of imgref in it."""
    shell = shutil.which("bash") or "sh"
    done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        yield f"not valid shell: {done.stderr.strip()}"
        return
    for words in commands(script):
        yield from command_problems(words)


def commands(script: str) -> Iterator[list[str]]:
    """Return the words of each simple command, without assignments and redirections."""
    script = HEREDOC.sub(r"\2", script.replace("\\\n", " "))
    for inner in SUBSTITUTION.findall(script):
        yield from commands(inner)
    lexer = shlex.shlex(
        SUBSTITUTION.sub("SUBSTITUTED", script).replace("\n", " ;\n"), posix=True, punctuation_chars=True
    )
    lexer.whitespace_split = True
    words: list[str] = []
    redirected = False
    for token in [*lexer, ";"]:
        if token and set(token) <= set(";&|()"):
            if words:
                yield words
            words, redirected = [], False
        elif token and set(token) <= set("<>&"):
            redirected = True
        elif redirected:
            redirected = False
        elif words or not (token in WORDS_OF_SHELL or re.match(r"[A-Za-z_]\w*=", token)):
            words.append(token)


def command_problems(words: list[str]) -> Iterator[str]:
    """Report what is wrong with a command, if it is one of imgref or installs it."""
    program = words[0].rpartition("/")[2]
    if program == "imgref":
        yield from imgref_problems(words[1:])
    for word in words if "install" in words else ():
        for listed in re.findall(r"(?:imgref|\.)\[([\w,]+)\]$", word):
            yield from (f"no extra {extra!r} in pyproject.toml" for extra in listed.split(",") if extra not in EXTRAS)


def imgref_problems(words: list[str], *, whole: bool = True) -> Iterator[str]:
    """Report what click would not accept of the words after ``imgref``.

    Args:
        words: the words.
        whole: whether missing arguments and options are wrong too, as they are not in the middle of a sentence.
    """
    if not words or words[0] in {"-h", "--help", "--version"} or (words[0] == "COMMAND" and not whole):
        return
    context = click.Context(cli, info_name="imgref", **cli.context_settings)
    command = cli.get_command(context, words[0])
    if command is None:
        yield f"no command 'imgref {words[0]}'"
        return
    with click.Context(command, info_name=words[0], parent=context, allow_extra_args=False) as inner:
        try:
            options, rest, _ = command.make_parser(inner).parse_args([*words[1:]])
            for parameter in command.get_params(inner):
                value = options.get(parameter.name or "")
                if isinstance(parameter.type, click.Choice) and value is not None and isinstance(value, str | tuple):
                    values = [value] if isinstance(value, str) else value
                    for one in values:
                        if whole or not one.isupper():
                            parameter.type.convert(one, parameter, inner)
        except click.UsageError as error:
            # Synopses and sentences leave out what the command needs.
            if whole or not isinstance(error, click.MissingParameter):
                yield f"imgref {words[0]}: {error.format_message()}"
            return
    if rest:
        yield f"imgref {words[0]}: unexpected {rest[0]!r}"


@cache
def all_options() -> set[str]:
    """Return every option of every command."""
    context = click.Context(cli, info_name="imgref", **cli.context_settings)
    found = {"-h", "--help", "--version"}
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        found |= {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return found


@cache
def all_choices() -> set[str]:
    """Return every value of every option that has a few."""
    context = click.Context(cli, info_name="imgref", **cli.context_settings)
    parameters = [
        parameter
        for name in COMMANDS
        if (command := cli.get_command(context, name)) is not None
        for parameter in command.params
    ]
    return {
        str(word)
        for parameter in parameters
        if isinstance(parameter.type, click.Choice)
        for word in parameter.type.choices
    }
