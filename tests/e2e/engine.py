"""A Docker engine, with a registry beside it, in a network of their own; where it cannot run, tests say so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.commands import Home

REGISTRY = "registry.local:5001"


@dataclass
class Engine:
    """A shell in which there are an engine, the name ``registry.local``, and no other network."""

    path: Path
    environ: dict[str, str]
    shell: subprocess.Popen[bytes]

    def run(self, command: str, *, timeout: float = 180) -> tuple[int, str]:
        """Run a command in the one shell; gives its exit code and all that it printed."""
        number = len(list(self.path.glob("out.*")))
        out, code = self.path / f"out.{number}", self.path / f"code.{number}"
        assert self.shell.stdin is not None
        script = f"{{ {command}\n}} > {out} 2>&1 < /dev/null; echo $? > {code}.new; mv {code}.new {code}\n"
        self.shell.stdin.write(script.encode())
        self.shell.stdin.flush()
        deadline = time.monotonic() + timeout
        while not code.exists():
            assert self.shell.poll() is None, out.read_text()
            assert time.monotonic() < deadline, f"{command}: {out.read_text()}"
            time.sleep(0.02)
        lines = out.read_text().splitlines()
        return int(code.read_text()), "\n".join(line for line in lines if not _is_noise(line))

    def good(self, command: str) -> list[str]:
        code, text = self.run(command)
        assert code == 0, f"{command}\n{text}"
        return text.splitlines()

    def start_registry(self) -> None:
        """Start a registry as ``REGISTRY``."""
        settings = '{"version": 0.1, "storage": {"inmemory": {}}, "http": {"addr": ":5001"}}'
        self.good(f"echo '{settings}' > registry.yml; docker-registry serve registry.yml > registry.log 2>&1 &")
        self.await_registry()

    def await_registry(self) -> None:
        """Wait until the registry listens."""
        place = REGISTRY.replace(":", "/")
        self.good(f"for i in $(seq 300); do : < /dev/tcp/{place} && break; sleep 0.05; done; : < /dev/tcp/{place}")


def _is_noise(line: str) -> bool:
    """Return whether Docker complains of its own old builder, which needs no network."""
    return line.startswith(("DEPRECATED:", "            ")) or not line.strip()


def with_imgref(home: Home) -> Home:
    """Put ``imgref`` on the PATH of a home, and let it use the registry of an engine with plain http."""
    home.environ["IMGREF_INSECURE_REGISTRIES"] = REGISTRY
    home.environ["PATH"] = f"{Path(sys.executable).parent}:{home.environ['PATH']}"
    return home


@contextmanager
def run_engine(environ: dict[str, str]) -> Iterator[Engine]:
    """Run an engine until the block ends."""
    for program in ("dockerd", "docker", "unshare", "ip", "docker-registry"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            pytest.skip(f"{program} is not installed")
    if os.geteuid() != 0:
        pytest.skip("an engine is started by root only")
    # The path of its socket must be short.
    path = Path(tempfile.mkdtemp(prefix="imgref-", dir="/tmp"))
    settings = {
        "insecure-registries": [REGISTRY],
        "storage-driver": "vfs",
        "iptables": False,
        "ip6tables": False,
        "bridge": "none",
        "data-root": f"{path}/data",
        "exec-root": f"{path}/exec",
        "pidfile": f"{path}/pid",
        "hosts": [f"unix://{path}/s.sock"],
    }
    (path / "daemon.json").write_text(json.dumps(settings))
    (path / "hosts").write_text("127.0.0.1 localhost registry.local\n")
    (path / "work").mkdir()
    (path / "data").mkdir()
    environ = {**environ, "DOCKER_HOST": f"unix://{path}/s.sock", "DOCKER_BUILDKIT": "0"}
    environ["PATH"] += ":/usr/sbin:/sbin"
    # A process space as well, so that all that was started ends with the shell.
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "bash"]
    shell = subprocess.Popen(command, stdin=subprocess.PIPE, env=environ, cwd=path / "work")
    engine = Engine(path, environ, shell)
    try:
        # In memory, since the engine copies the whole tree of an image for each of its layers.
        engine.good(f"ip link set lo up && mount --bind {path}/hosts /etc/hosts && mount -t tmpfs data {path}/data")
        engine.good(f"dockerd --config-file {path}/daemon.json > {path}/dockerd.log 2>&1 &")
        if engine.run("for i in $(seq 600); do docker version && break; sleep 0.05; done")[0]:
            pytest.skip("dockerd does not start here: " + (path / "dockerd.log").read_text()[-500:])
        yield engine
        engine.run("kill $(cat ../pid); while [ -e ../pid ]; do sleep 0.05; done", timeout=30)
    finally:
        shell.kill()
        shell.communicate()
        shutil.rmtree(path, ignore_errors=True)
