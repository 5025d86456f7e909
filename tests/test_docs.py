"""README and docs are run: transcripts, Python examples, shell scripts. The command reference is what --help says."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from command_reference import command_reference
from fork_server import write_program
from isolation.environment import require
from tables import each
from vectors import ROOT, clean_environ

OF_THEIR_OWN = {"first-image.md", "golden-images.md", "pinned.md", "policy.md", "tutorial.md"}
"""Pages whose transcripts need a world of their own, and have a test of their own."""

AT_THE_TOP = ("README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md")
DOCUMENTS = [*(ROOT / name for name in AT_THE_TOP), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path: Path, language: str) -> Iterator[tuple[int, str]]:
    """Return the fenced blocks of a language, each with its line."""
    text = path.read_text(encoding="utf-8")
    for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, found.start()) + 1, found[1]


def cases(language: str) -> list[object]:
    return [
        pytest.param(block, id=f"{path.name}:{line}")
        for path in DOCUMENTS
        if path.name not in OF_THEIR_OWN
        for line, block in blocks(path, language)
    ]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder with imgref, and a docker that prints the words that it is given, one a line."""
    folder = tmp_path / "bin"
    folder.mkdir()
    write_program(folder / "imgref")
    (folder / "docker").write_text('#!/bin/sh\nprintf "%s\\n" docker "$@"\n')
    for name in ("apt-get", "pip3"):
        (folder / name).write_text("#!/bin/sh\n")
    for program in folder.iterdir():
        program.chmod(0o755)
    return folder


@pytest.mark.parametrize("transcript", cases("console"))
def test_transcripts_print_what_they_show(transcript: str, programs: Path, tmp_path: Path) -> None:
    environ = clean_environ(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}", LC_ALL="C.UTF-8")
    for command, expected in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", transcript, re.MULTILINE):
        done = subprocess.run(
            ["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path,
            env=environ, check=False,
        )  # fmt: skip
        assert done.stdout == (expected.rstrip("\n") + "\n" if expected.strip() else "")


@each("example", cases("python"))
def test_python_examples(example: str) -> None:
    test = doctest.DocTestParser().get_doctest(example, {}, "example", None, 0)
    result = doctest.DocTestRunner().run(test)
    assert result.attempted
    assert not result.failed


def test_a_newcomer_reads_four_lines_of_python() -> None:
    assert [block.count(">>> ") for _, block in blocks(ROOT / "README.md", "python")] == [4]


def scripts_in(node: object) -> Iterator[str]:
    """Return the scripts in the YAML of a CI system that plan tags: strings, and lists of lines."""
    if isinstance(node, str):
        if "imgref tags --ci" in node and "\n" in node:
            yield node.replace("$$", "$")
    elif isinstance(node, list):
        if any(isinstance(item, str) and item.startswith("args=") for item in node):
            yield "\n".join(node)
        else:
            yield from (script for item in node for script in scripts_in(item))
    elif isinstance(node, dict):
        yield from (script for item in node.values() for script in scripts_in(item))


def shell_scripts() -> list[str]:
    """Return the scripts of docs/ci.md: its shell blocks, and what its other blocks hand to a shell."""
    page = ROOT / "docs" / "ci.md"
    scripts = [block for _, block in blocks(page, "sh")]
    scripts += re.findall(r"sh '''\n(.*?)'''", page.read_text(encoding="utf-8"), re.DOTALL)
    for _, block in blocks(page, "yaml"):
        scripts += dict.fromkeys(scripts_in(yaml.safe_load(block)))
    return scripts


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return a repository whose commit has a release's tag, with every character that a pre-release may have."""
    where = tmp_path / "repository"
    where.mkdir()
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("commit", "-q", "--allow-empty", "-m", "1"),
        ("tag", "v2.0.0-aZ-09.x-y"),
    ):
        subprocess.run([require("git"), *identity, *arguments], cwd=where, check=True, env=clean_environ())
    (where / "docker-bake.json").write_text('{"target": {"imgref": {}}}')
    return where


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
@pytest.mark.parametrize("script", shell_scripts())
def test_ci_scripts_run_in_any_shell(shell: str, script: str, programs: Path, release: Path) -> None:
    require(shell)
    environ = clean_environ(
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}", IMAGE="ghcr.io/acme/app",
        CI_REGISTRY_IMAGE="ghcr.io/acme/app", REGISTRY="ghcr.io/acme", REGISTRY_USER="u", REGISTRY_PASSWORD="p",
        PROJECT_ID="p",
        GITLAB_CI="true", CI_COMMIT_TAG="v2.0.0-aZ-09.x-y", SOURCE="https://example.com/acme/app",
    )  # fmt: skip
    script = script.replace("--existing registry", "--existing git")  # no registry answers here
    done = subprocess.run(
        [shell, "-euc", script], capture_output=True, text=True, cwd=release, env=environ, check=False
    )
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    assert words[0] == "docker"
    assert "buildx" in words
    if "bake" not in words:
        assert "/app:2.0.0-aZ-09.x-y" in words[words.index("-t") + 1]


def test_there_are_scripts_for_every_ci_of_the_page() -> None:
    assert len(shell_scripts()) >= 14


LINKS = sorted(
    {
        (path.name, target)
        for path in DOCUMENTS
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    }
)


@each("link", LINKS)
def test_links_lead_somewhere(link: tuple[str, str]) -> None:
    name, target = link
    folder = ROOT if name in AT_THE_TOP else ROOT / "docs"
    assert (folder / target).exists()


def test_command_reference_is_the_current_help() -> None:
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == command_reference()


def test_every_command_is_in_the_readme_and_its_help_is_its_own_first_line() -> None:
    from imgref.cli.main import COMMANDS, cli

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    import click

    context = click.Context(cli)
    for name, line in COMMANDS.items():
        assert f"`imgref {name}" in readme
        command = cli.get_command(context, name)
        assert command
        assert (command.help or "").split("\n\n")[0].replace("\n", " ") == line
