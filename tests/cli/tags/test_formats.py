"""The files that other tools read, read back as their documentation says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from vectors import clean_environ, imgref

from imgref import TagPlan
from imgref.cli._github import write_github
from imgref.cli.tags._formats import Printed, write_labels, write_plan
from imgref.cli.tags._labels import Metadata

RELEASE = ("tags", "2.0.0-aZ-09.x-y+b5", "--build", "underscore", "--image", "ghcr.io/acme/app", "--image", "acme/app")
TAG = "2.0.0-aZ-09.x-y_b5"


def github_outputs(text: str) -> dict[str, str]:
    """Read a file of step outputs: ``name=value``, or ``name<<delimiter``, lines, and the delimiter on a line."""
    outputs: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        heredoc = re.fullmatch(r"([^=<]+)<<(.+)", line)
        if heredoc is None:
            name, _, outputs[name] = line.partition("=")
            continue
        value = []
        for inner in lines:
            if inner == heredoc[2]:
                break
            value.append(inner)
        else:
            pytest.fail(f"no delimiter closes {heredoc[1]}")
        outputs[heredoc[1]] = "\n".join(value)
    return outputs


def test_github_outputs_are_appended_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_text("before=1")
    done = imgref(*RELEASE, "--format", "github", environ=clean_environ(GITHUB_OUTPUT=str(path)))
    assert (done.stdout, done.exit) == ("", 0)
    outputs = github_outputs(path.read_text())
    assert list(outputs) == ["before", "version", "tags", "json"]
    assert outputs["version"] == "2.0.0-aZ-09.x-y+b5"
    assert outputs["tags"].splitlines() == [f"ghcr.io/acme/app:{TAG}", f"docker.io/acme/app:{TAG}"]
    assert json.loads(outputs["json"])["tags"] == [TAG]


def test_github_delimiters_differ_each_time(tmp_path: Path) -> None:
    path = tmp_path / "output"
    for _ in range(2):
        imgref("tags", "1.0.0", "--format", "github", environ=clean_environ(GITHUB_OUTPUT=str(path)))
    delimiters = re.findall("<<(.+)", path.read_text())
    assert len(set(delimiters)) == len(delimiters) == 6


def test_a_file_of_outputs_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    done = imgref("tags", "1.0.0", "--format", "github", environ=clean_environ(GITHUB_OUTPUT=str(tmp_path)))
    assert (done.stdout, done.exit) == ("", 2)
    assert done.stderr == f"error: {tmp_path}: Is a directory\n"


def test_gitlab_reads_the_dotenv_report() -> None:
    # One KEY=value a line, no quotes, no line breaks in values:
    # https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
    lines = imgref(*RELEASE, "--format", "dotenv").stdout.splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_]+=[^'\"\s]*", line) for line in lines)
    variables = dict(line.split("=", 1) for line in lines)
    assert variables["IMGREF_TAGS"].split(",") == [TAG]
    assert variables["IMGREF_REFERENCES"].split(",") == [f"ghcr.io/acme/app:{TAG}", f"docker.io/acme/app:{TAG}"]


def test_a_bake_file_has_the_documented_structure() -> None:
    # https://docs.docker.com/build/bake/reference/#target
    tags = json.loads(imgref(*RELEASE, "--format", "bake").stdout)
    labels = json.loads(imgref(*RELEASE, "--labels", "--format", "bake", "--bake-target", "app").stdout)
    assert tags == {"target": {"imgref": {"tags": [f"ghcr.io/acme/app:{TAG}", f"docker.io/acme/app:{TAG}"]}}}
    assert list(labels["target"]) == ["app"]
    assert all(isinstance(value, str) for value in labels["target"]["app"]["labels"].values())


BREAKS = ["\n", "\r", "\x00", "\x1b", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]
PLAN = TagPlan("1.0.0", "semver", False, ("1.0.0",))


@pytest.mark.parametrize("character", BREAKS)
@pytest.mark.parametrize("style", ["lines", "csv", "args", "dotenv", "github"])
def test_a_line_format_with_a_control_character_in_a_value_is_a_usage_error(
    style: str, character: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    value = f"1{character}LD_PRELOAD=x"
    plan = replace(PLAN, version=value) if style in ("dotenv", "github") else replace(PLAN, tags=("1.0.0", value))
    with pytest.raises(click.UsageError):
        write_github(Printed(plan, ()), "imgref") if style == "github" else write_plan(
            Printed(plan, ()), style, "imgref"
        )
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("character", BREAKS)
def test_labels_with_a_control_character_are_printed_only_where_it_is_escaped(
    character: str, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {"a": f"1{character}b=2"}
    metadata = Metadata(labels, {}, frozenset(labels))
    for style in ("lines", "args"):
        with pytest.raises(click.UsageError):
            write_labels(metadata, style, "imgref")
    assert capsys.readouterr().out == ""
    write_labels(metadata, "json", "imgref")
    assert json.loads(capsys.readouterr().out) == labels
    write_labels(metadata, "bake", "imgref")
    assert json.loads(capsys.readouterr().out)["target"]["imgref"]["labels"] == labels


def test_bake_does_not_expand_variables_in_values(capsys: pytest.CaptureFixture[str]) -> None:
    # https://github.com/hashicorp/hcl/blob/main/json/spec.md#strings
    write_labels(Metadata({"a": "${TOKEN} %{if x} $5 100%"}, {}), "bake", "imgref")
    written = json.loads(capsys.readouterr().out)
    assert written["target"]["imgref"]["labels"] == {"a": "$${TOKEN} %%{if x} $5 100%"}


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_arguments_survive_an_unquoted_substitution(shell: str) -> None:
    script = f'set -f; printf "%s\\n" $("{sys.executable}" -m imgref {" ".join(RELEASE)} --format args)'
    done = subprocess.run([shell, "-euc", script], capture_output=True, text=True, env=clean_environ(), check=True)
    assert done.stdout.splitlines() == ["-t", f"ghcr.io/acme/app:{TAG}", "-t", f"docker.io/acme/app:{TAG}"]


@pytest.mark.parametrize("words", ["imgref par", "imgref tags --sch"])
def test_bash_completes_commands_and_options(words: str) -> None:
    environ = clean_environ(_IMGREF_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" ")))
    done = imgref(environ=environ)
    assert done.stdout.splitlines()[0] in ("plain,parse", "plain,--scheme")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    done = imgref("completion", shell)
    assert done.exit == 0
    assert "_IMGREF_COMPLETE" in done.stdout


def test_nothing_of_the_terminal_is_printed_into_a_pipe() -> None:
    environ = {key: value for key, value in clean_environ(TERM="xterm-256color").items() if key != "NO_COLOR"}
    for arguments in (
        ("parse", "A"),
        ("tags", "1.0.0", "--format", "table"),
        ("parse", "a", "--format", "table"),
        ("--help",),
    ):
        done = imgref(*arguments, environ=environ)
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_error_on_a_terminal_has_colors_unless_switched_off(no_color: str, coloured: bool) -> None:
    leader, follower = os.openpty()
    environ = clean_environ(TERM="xterm-256color", NO_COLOR=no_color)
    subprocess.run(
        [sys.executable, "-m", "imgref", "parse", "Ubuntu"], stdout=follower, stderr=follower, env=environ, check=False
    )
    os.close(follower)
    shown = os.read(leader, 10_000).decode()
    os.close(leader)
    assert "did you mean 'ubuntu'?" in shown
    assert ("\x1b[" in shown) is coloured
