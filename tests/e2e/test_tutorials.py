"""The tutorials without Docker, run from top to bottom: localhost is docker-registry, and so is Docker Hub."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from e2e.commands import Home
from e2e.connect_proxy import run_connect_proxy
from e2e.images import put_index
from e2e.servers import Registry, free_port, run_registry
from e2e.test_tutorial import shape

pytestmark = pytest.mark.e2e

DOCS = Path(__file__).parents[2] / "docs"
STEP = re.compile(r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
ON_DOCKER_HUB = {
    "busybox": ["1.36.1", "1.37.0"],
    "nginx": ["1.27.3", "1.27.4", "1.28.0", "latest"],
    "python": ["3.12.7-slim", "3.12.8-slim", "3.13.1-slim"],
    "redis": ["7.4.1", "7.4.2"],
}
CREATED = {"created": "2024-03-01T10:20:30Z"}


@pytest.fixture(scope="module")
def docker_hub(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Registry]:
    """A registry with a certificate for Docker Hub's name, and the images of the tutorials."""
    with run_registry(tmp_path_factory.mktemp("hub"), "tls", ca=authority) as registry:
        for name, tags in ON_DOCKER_HUB.items():
            for tag in tags:
                put_index(registry, f"library/{name}", tag, text=tag, more=CREATED)
        yield registry


class Shell:
    """Runs commands in a directory, with programs in the background that end with it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.directory = home.path / "work"
        self.groups: list[int] = []

    def run(self, command: str) -> str:
        """Return the output of a command; one that ends with ``&`` goes on in the background."""
        with subprocess.Popen(
            ["bash", "-c", command], cwd=self.directory, env=self.home.environ, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            self.groups.append(process.pid)
            return process.communicate(timeout=60)[0]

    def close(self) -> None:
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                continue


@contextmanager
def shell_with(home: Home, hub: Registry) -> Iterator[Shell]:
    with run_connect_proxy(hub.host) as proxy:
        home.environ |= {
            "PATH": f"{Path(sys.executable).parent}:{home.environ['PATH']}",
            "HTTPS_PROXY": proxy.url,
            "SSL_CERT_FILE": str(hub.ca),
        }
        shell = Shell(home)
        try:
            yield shell
        finally:
            shell.close()


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the registry does not start")


def transcript(shell: Shell, block: str, port: int) -> str:
    """Run the commands of a block, and return it with their real output."""
    done = ""
    for prompt in re.findall(r"^\$ .*\n(?:> .*\n)*", block, re.MULTILINE):
        command = re.sub(r"^[$>] ", "", prompt, flags=re.MULTILINE).replace("localhost:5001", f"localhost:{port}")
        done += prompt + shell.run(command).replace(f"localhost:{port}", "localhost:5001")
        if command.startswith("docker-registry"):
            wait_for(port)
    return done


@pytest.mark.parametrize("name", ["first-image.md", "pinned.md"])
def test_tutorial_without_docker_prints_what_it_shows(name: str, home: Home, docker_hub: Registry) -> None:
    blocks = 0
    port = free_port()
    with shell_with(home, docker_hub) as shell:
        for step in STEP.finditer((DOCS / name).read_text(encoding="utf-8")):
            if step["file"]:
                shell.directory.joinpath(step["file"]).write_text(step["text"])
            elif step["language"] == "console":
                blocks += 1
                assert shape(transcript(shell, step["text"], port)) == shape(step["text"])
    assert blocks >= 5


def test_mirror_page_carries_images_over_an_air_gap(home: Home, docker_hub: Registry, plain: Registry) -> None:
    page = (DOCS / "mirror.md").read_text(encoding="utf-8")
    pull, push = re.findall(r"^```sh\n(while .*?)^```$", page, re.DOTALL | re.MULTILINE)
    with shell_with(home, docker_hub) as shell:
        (shell.directory / "images.txt").write_text("nginx:1.27.3\nredis:7.4.1\n")
        shell.run(pull)
        shell.run(push.replace("registry.local:5001", plain.host))
        for image in ("nginx:1.27.3", "redis:7.4.1"):
            copy = shell.run(f"imgref digest {plain.host}/mirror/library/{image}")
            assert copy == shell.run(f"imgref digest {image}")
            assert copy.startswith("sha256:")
