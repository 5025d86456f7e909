"""Runs the script of docs/update.md that updates images on a schedule, with a registry and a git remote."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.images import put_image
from faults import status
from fork_server import write_program
from registry.kit import ALWAYS
from registry.server import RegistryServer, run_server
from vectors import ROOT, clean_environ

PAGE = (ROOT / "docs" / "update.md").read_text(encoding="utf-8")
SCRIPT = re.search(r"`update-images.sh`:\n\n```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
OLD = {"created": "2024-03-01T10:20:30Z"}


class Checkout:
    """A clone with the script beside a Dockerfile, and its remote."""

    def __init__(self, path: Path, dockerfile: str) -> None:
        self.path = path / "clone"
        (path / "bin").mkdir()
        write_program(path / "bin" / "imgref")
        self.environ = clean_environ(PATH=f"{path / 'bin'}:/usr/bin:/bin", HOME=str(path))
        self.run("git", "init", "--quiet", "--bare", "remote.git", cwd=path)
        self.run("git", "clone", "--quiet", "remote.git", "clone", cwd=path)
        assert SCRIPT is not None
        (self.path / "update-images.sh").write_text(SCRIPT[1])
        (self.path / "Dockerfile").write_text(dockerfile)
        for key, value in {"user.name": "Image updates", "user.email": "updates@example.org"}.items():
            self.run("git", "config", "--global", key, value)
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "Begin")

    def run(self, *command: str, cwd: Path | None = None, exits: int = 0) -> str:
        done = subprocess.run(
            command, cwd=cwd or self.path, env=self.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == exits, done.stderr
        return done.stdout

    def branches(self) -> list[str]:
        return self.run("git", "ls-remote", "--heads", "origin").split()[1::2]


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with run_server() as server:
        yield server


def test_script_pushes_a_branch_with_the_newer_pinned_image(server: RegistryServer, tmp_path: Path) -> None:
    put_image(server, "app", "1.0.0", text="1", more=OLD)
    newer = put_image(server, "app", "1.1.0", text="2", more=OLD)
    checkout = Checkout(tmp_path, f"FROM {server.host}/app:1.0.0\n")
    checkout.run("sh", "update-images.sh")
    assert checkout.branches() == ["refs/heads/update-images"]
    pushed = checkout.run("git", "show", "origin/update-images:Dockerfile")
    assert pushed == f"FROM {server.host}/app:1.1.0@{newer.digest}\n"
    # The next run starts from a new clone and makes the same change again.
    checkout.run("git", "switch", "--quiet", "-")
    checkout.run("sh", "update-images.sh")
    assert checkout.run("git", "show", "origin/update-images:Dockerfile") == pushed


def test_script_pushes_nothing_if_nothing_changed_or_the_registry_failed(
    server: RegistryServer, tmp_path: Path
) -> None:
    image = put_image(server, "app", "1.0.0", text="1", more=OLD)
    checkout = Checkout(tmp_path, f"FROM {server.host}/app:1.0.0@{image.digest}\n")
    checkout.run("sh", "update-images.sh")
    server.add(status(403), "", "/v2/", ALWAYS)
    checkout.run("sh", "update-images.sh", exits=3)
    assert checkout.branches() == []
