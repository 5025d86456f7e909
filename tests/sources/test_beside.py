"""Files beside another one: what is read, what counts as missing, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imgref.sources.beside import MAX_BESIDE, files_beside
from imgref.sources.decoding import Unreadable


def test_file_in_the_same_directory_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfA=\xff\r\n")
    assert files_beside(tmp_path / "compose.yaml")(".env") == "A=\udcff\r\n"


def test_directory_is_that_of_the_link_and_not_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / ".env").write_text("A=1")
    (tmp_path / "real" / "compose.yaml").touch()
    (tmp_path / "compose.yaml").symlink_to("real/compose.yaml")
    assert files_beside(tmp_path / "compose.yaml")(".env") is None
    assert files_beside(tmp_path / "real" / "compose.yaml")(".env") == "A=1"


def test_directory_broken_link_and_impossible_path_count_as_missing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("nothing")
    (tmp_path / "c").touch()
    read = files_beside(tmp_path / "compose.yaml")
    assert [read(name) for name in ("a", "b", "missing")] == [None, None, None]
    assert files_beside(tmp_path / "c" / "compose.yaml")("x") is None
    assert files_beside("\0/compose.yaml")("x") is None


def test_fifo_and_device_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/zero")
    read = files_beside(tmp_path / "compose.yaml")
    for name in ("fifo", "device"):
        with pytest.raises(Unreadable, match="is not a regular file"):
            read(name)


def test_large_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "most").write_bytes(b"#" * MAX_BESIDE)
    (tmp_path / "more").write_bytes(b"#" * (MAX_BESIDE + 1))
    read = files_beside(tmp_path / "compose.yaml")
    assert len(read("most") or "") == MAX_BESIDE
    with pytest.raises(Unreadable, match="has more than"):
        read("more")


def test_file_that_the_system_refuses_has_the_reason(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Unreadable, match="cannot be read: "):
        files_beside(tmp_path / "compose.yaml")("loop")
