"""Runs docs/policy.md from top to bottom: writes its files, runs its commands, and compares their output."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from check_trees import run, write_tree

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
STEP = re.compile(r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package of the page, installed as far as imgref can see."""
    monkeypatch.chdir(tmp_path)
    write_tree(tmp_path, {"acme-policy/acme_policy/__init__.py": ""})
    monkeypatch.syspath_prepend(str(tmp_path / "acme-policy"))
    monkeypatch.setattr("imgref.cli._check_files._today", lambda: date(2027, 3, 31))
    yield
    sys.modules.pop("acme_policy", None)


@pytest.mark.usefixtures("package")
def test_page_steps_print_what_it_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = []
    for step in STEP.finditer(PAGE):
        if step["file"]:
            write_tree(tmp_path, {step["file"]: step["text"]})
        elif step["language"] == "console":
            command, expected = step["text"].removeprefix("$ imgref ").split("\n", 1)
            outcome = run(capsys, *shlex.split(command))
            assert outcome.out + outcome.err == expected
            codes.append(outcome.code)
    assert codes == [1, 0, 1]


@pytest.mark.usefixtures("package")
def test_exception_on_the_next_day_has_no_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path, {step["file"]: step["text"] for step in STEP.finditer(PAGE) if step["file"]})
    monkeypatch.setattr("imgref.cli._check_files._today", lambda: date(2027, 4, 1))
    assert run(capsys, "check", "shop", "--format", "concise").codes() == ["IMG104", "IMG201"]
