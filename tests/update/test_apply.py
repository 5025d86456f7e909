"""Writing planned files: whole or not at all, only where nobody has changed them, with everything else as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from update.fakes import FakeRegistry, digest_of, spots_of

from imgref.sources.recognition import Places
from imgref.update.apply import apply_file
from imgref.update.pinning import plan_pin
from imgref.update.plan import FilePlan
from imgref.update.source import read_source

BEFORE = "FROM nginx:1.27\r\n"
AFTER = f"FROM nginx:1.27@{digest_of('nginx:1.27')}\r\n"


def planned(path: Path) -> FilePlan:
    source = read_source(str(path), Places().of(str(path)), shown=path.name, named=True)
    return plan_pin(*spots_of(source), FakeRegistry()).files[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Dockerfile"
    path.write_bytes(BEFORE.encode())
    return path


def test_apply_writes_the_bytes_and_keeps_the_mode(file: Path) -> None:
    file.chmod(0o2754)
    assert apply_file(planned(file)) is None
    assert file.read_bytes() == AFTER.encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o2754
    assert [path.name for path in file.parent.iterdir()] == ["Dockerfile"]


def test_apply_that_cannot_keep_the_owner_leaves_the_file_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(file)
    status = os.fstat

    def foreign(number: int) -> os.stat_result:
        mine = status(number)
        return os.stat_result([*mine[:4], mine.st_uid + 1, *mine[5:]])

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fstat", foreign)
    monkeypatch.setattr(os, "fchown", refuse)
    assert apply_file(plan) == "cannot be written: Operation not permitted"
    assert file.read_bytes() == BEFORE.encode()


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="the system has no extended attributes")
def test_apply_keeps_extended_attributes(file: Path) -> None:
    try:
        os.setxattr(file, "user.origin", b"here")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    assert apply_file(planned(file)) is None
    assert os.getxattr(file, "user.origin") == b"here"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_apply_keeps_the_owner(file: Path) -> None:
    os.chown(file, 12345, 23456)
    assert apply_file(planned(file)) is None
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 23456)


def test_apply_through_a_link_edits_its_target(file: Path) -> None:
    link = file.parent / "link.Dockerfile"
    link.symlink_to("Dockerfile")
    assert apply_file(planned(link)) is None
    assert link.is_symlink()
    assert file.read_bytes() == AFTER.encode()


def test_apply_leaves_a_file_alone_that_was_changed_since_it_was_planned(file: Path) -> None:
    plan = planned(file)
    file.write_text("FROM redis:7\n")
    assert apply_file(plan) == "was changed in the meantime, and is left alone"
    assert file.read_text() == "FROM redis:7\n"
    assert [path.name for path in file.parent.iterdir()] == ["Dockerfile"]


def test_apply_leaves_a_file_alone_that_is_changed_while_it_is_written(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(file)

    fsync = os.fsync

    def changed(number: int) -> None:
        file.write_text("FROM redis:7\n")
        fsync(number)

    monkeypatch.setattr(os, "fsync", changed)
    assert apply_file(plan) == "was changed in the meantime, and is left alone"
    assert file.read_text() == "FROM redis:7\n"


def test_apply_leaves_a_link_alone_that_leads_elsewhere_now(file: Path) -> None:
    plan = planned(file)
    other = file.parent / "other"
    other.write_bytes(BEFORE.encode())
    file.unlink()
    file.symlink_to("other")
    assert apply_file(plan) == "was changed in the meantime, and is left alone"
    assert other.read_bytes() == BEFORE.encode()


def test_apply_of_a_deleted_file_fails(file: Path) -> None:
    plan = planned(file)
    file.unlink()
    assert apply_file(plan) in {"was deleted in the meantime", "is read-only"}
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("failing", ["fchmod", "fsync", "replace"])
def test_apply_that_fails_in_the_middle_leaves_the_whole_file(
    failing: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(file)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    assert apply_file(plan) == "cannot be written: No space left on device"
    assert file.read_bytes() == BEFORE.encode()
    assert [path.name for path in file.parent.iterdir()] == ["Dockerfile"]


def test_apply_that_is_interrupted_leaves_the_whole_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(file)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        apply_file(plan)
    assert file.read_bytes() == BEFORE.encode()
    assert [path.name for path in file.parent.iterdir()] == ["Dockerfile"]


def test_apply_to_a_hard_link_leaves_the_other_name_as_it_was(file: Path) -> None:
    other = file.parent / "other"
    os.link(file, other)
    assert apply_file(planned(file)) is None
    assert (file.read_bytes(), other.read_bytes()) == (AFTER.encode(), BEFORE.encode())


def test_apply_of_a_read_only_file_fails_and_leaves_it_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(file)
    # Asked of the system, since root may write what is marked as read-only.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert apply_file(plan) == "is read-only"
    assert file.read_bytes() == BEFORE.encode()
