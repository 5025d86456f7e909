"""Temporary directories: private, locked while they are used, and removed by the next process if they were not."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from imgref.archive._staging import scratch_directory

HOLD = """
import time
from imgref.archive._staging import scratch_directory
with scratch_directory() as path:
    (path / "image.tar").write_bytes(b"x")
    print(path, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def hold() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def age(path: Path) -> None:
    os.utime(path, (time.time() - 120, time.time() - 120))


def test_scratch_directory_is_private_and_removed(temporary: Path) -> None:
    with scratch_directory() as path:
        assert path.parent == temporary
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert list(temporary.iterdir()) == []


def test_scratch_directory_of_a_killed_process_is_removed_by_the_next_one(temporary: Path) -> None:
    process, path = hold()
    end(process)
    assert (path / "image.tar").exists()
    age(path)
    with scratch_directory():
        assert not path.exists()


def test_scratch_directory_that_is_used_new_or_named_otherwise_is_kept(temporary: Path) -> None:
    process, used = hold()
    age(used)
    others = [temporary / name for name in ("imgref-12345678.pull", "imgref-project.pull", "imgref-12345678")]
    for other in others:
        other.mkdir()
    for other in others[1:]:
        age(other)
    (temporary / "elsewhere").mkdir()
    link = temporary / "imgref-abcdefgh.pull"
    link.symlink_to(temporary / "elsewhere")
    with scratch_directory():
        assert used.exists()
        assert all(other.exists() for other in (*others, link))
    end(process)
