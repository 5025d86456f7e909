"""Diffs of plans: ``git apply`` of one gives exactly the bytes that the plan writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from update.fakes import FakeRegistry, source_of, spots_of

from imgref.sources.recognition import Places
from imgref.update.apply import apply_file
from imgref.update.diff import diff_of
from imgref.update.pinning import plan_pin
from imgref.update.plan import FilePlan
from imgref.update.source import read_source

git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def planned(data: bytes, path: str = "Dockerfile") -> FilePlan | None:
    files = plan_pin(*spots_of(source_of(path, data)), FakeRegistry()).files
    return files[0] if files else None


def applied(diff: bytes, data: bytes, directory: Path, name: str = "Dockerfile") -> bytes:
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    # core.autocrlf and the like of the developer are isolated away; whitespace is no reason to refuse.
    done = subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=directory, input=diff, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b""), diff
    return file.read_bytes()


LINES = st.lists(
    st.sampled_from(
        [
            b"FROM nginx:1.27",
            b"FROM redis AS r",
            b"# \xff\xe9",
            b"# \xe2\x80\xa8 \x0c \x0b \x1c",
            b"",
            b"RUN a \t",
            b"COPY --from=busybox:1 a b",
        ]
    ),
    max_size=12,
)


@git
@given(
    lines=LINES,
    ends=st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=12, max_size=12),
    last=st.booleans(),
    mark=st.booleans(),
)
def test_git_apply_of_a_diff_writes_the_planned_bytes(
    lines: list[bytes], ends: list[bytes], last: bool, mark: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = (b"\xef\xbb\xbf" if mark else b"") + b"".join(line + end for line, end in zip(lines, ends, strict=False))
    if last:
        data += b"FROM alpine:3"
    file = planned(data)
    if file is not None:
        assert applied(diff_of(file), data, tmp_path_factory.mktemp("tree")) == file.result


@git
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_git_apply_of_a_diff_of_utf_16_writes_the_planned_bytes(encoding: str, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding.endswith("be") else ""
    data = f"{mark}services:\r\n  ä:\r\n    image: nginx:1.27\r\n  ć: {{image: redis:7}}".encode(encoding)
    file = planned(data, "compose.yaml")
    assert file is not None
    assert applied(diff_of(file), data, tmp_path, "compose.yaml") == file.result


@git
@pytest.mark.parametrize(
    "name", ["a b.Dockerfile", 'a"b.Dockerfile', "a\tb.Dockerfile", "a\\b.Dockerfile", "ä/é.Dockerfile"]
)
def test_git_apply_of_a_diff_finds_files_with_any_name(name: str, tmp_path: Path) -> None:
    file = planned(b"FROM nginx:1.27\n", name)
    assert file is not None
    assert applied(diff_of(file), b"FROM nginx:1.27\n", tmp_path, name) == file.result


def test_diff_and_the_file_that_is_written_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"# \xff\r\nFROM nginx:1.27\r\nFROM redis:7")
    source = read_source(str(path), Places().of(str(path)), shown="Dockerfile", named=True)
    (file,) = plan_pin(*spots_of(source), FakeRegistry()).files
    before = path.read_bytes()
    assert apply_file(file) is None
    assert applied(diff_of(file), before, tmp_path / "other") == path.read_bytes()


def test_diff_without_context_has_only_the_changed_lines() -> None:
    file = planned(b"# secret\nFROM nginx:1.27\n# other\n")
    assert file is not None
    assert b"secret" in diff_of(file)
    assert b"secret" not in diff_of(file, 0)
