"""Runs docs/golden-images.md from top to bottom: its files are written, its commands are run, their output is held."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from check_trees import run, write_tree

from imgref.config import load_config

if TYPE_CHECKING:
    import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "golden-images.md").read_text(encoding="utf-8")
FENCE = re.compile(r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def steps() -> Iterator[tuple[str | None, str, str]]:
    for found in FENCE.finditer(PAGE):
        yield found["file"], found["language"], found["text"]


def test_the_page_is_what_happens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("imgref.cli._check_files._today", lambda: date(2027, 6, 30))
    codes = []
    for file, language, text in steps():
        if file is not None:
            write_tree(tmp_path, {file: text})
        elif language == "console":
            command, expected = text.removeprefix("$ imgref ").split("\n", 1)
            outcome = run(capsys, *shlex.split(command))
            assert outcome.out + outcome.err == expected
            codes.append(outcome.code)
        else:
            write_tree(tmp_path, {"policy.toml": "", "repository/.imgref.toml": text})
            assert tomllib.loads(text)
            assert load_config(tmp_path / "repository" / ".imgref.toml").files[1].name == "policy.toml"
    assert codes == [1, 0]


def test_the_day_after_the_exception_the_finding_is_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_tree(tmp_path, {file: text for file, _, text in steps() if file is not None}))
    monkeypatch.setattr("imgref.cli._check_files._today", lambda: date(2027, 7, 1))
    outcome = run(capsys, "check", "--format", "concise")
    assert outcome.codes() == ["IMG301"]
    assert outcome.out.startswith("web/Dockerfile:1:6:")
