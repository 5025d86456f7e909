"""Files that are replaced as a whole, with the rights of the old ones."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from imgref._utils.files import make_like, replace_file


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_replace_file_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    path = tmp_path / "new"
    umask = os.umask(0o027)
    try:
        replace_file(path, b"new")
    finally:
        os.umask(umask)
    assert (path.read_bytes(), mode_of(path)) == (b"new", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_replace_file_new_private_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "new"
    replace_file(path, b"", private=True)
    assert mode_of(path) == 0o600


@pytest.mark.parametrize(
    ("mode", "private", "kept"),
    [
        (0o644, False, 0o644),
        (0o755, False, 0o755),
        (0o400, False, 0o400),
        (0o4755, False, 0o755),
        (0o640, True, 0o640),
        (0o400, True, 0o400),
        (0o644, True, 0o600),
        (0o666, True, 0o600),
    ],
)
def test_replace_file_keeps_the_mode(mode: int, private: bool, kept: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    replace_file(path, b"new", private=private)
    assert (path.read_bytes(), mode_of(path)) == (b"new", kept)


@pytest.mark.parametrize("exists", [True, False])
def test_replace_file_keeps_a_symbolic_link(exists: bool, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere/target", tmp_path / "link"
    if exists:
        target.write_bytes(b"old")
    link.symlink_to("elsewhere/target")
    replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_replace_file_keeps_owner_and_group(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    os.chown(path, 12345, 23456)
    replace_file(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


@pytest.mark.parametrize(("mode", "kept"), [(0o640, 0o600), (0o664, 0o644), (0o770, 0o700), (0o666, 0o666)])
def test_make_like_group_that_cannot_be_kept_gets_no_more_rights_than_others(
    mode: int, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    path.chmod(mode)
    status = path.stat()
    old = os.stat_result([*status[:4], status.st_uid + 1, status.st_gid + 1, *status[6:]])

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    with path.open("r+b") as file:
        make_like(file.fileno(), old)
    assert mode_of(path) == kept


@pytest.mark.parametrize("step", ["fsync", "replace", "fchmod"])
def test_replace_file_that_fails_leaves_the_old_file_alone(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left") as raised:
        replace_file(str(path), b"new")
    assert raised.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_replace_file_is_interrupted_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "file", b"new")
    assert list(tmp_path.iterdir()) == []


def test_replace_file_that_is_not_a_regular_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            replace_file(path, b"new")


def test_replace_file_with_a_long_name(tmp_path: Path) -> None:
    path = tmp_path / ("\u00e9" * 120)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
