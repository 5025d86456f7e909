"""Holds docs/check.md to the command: its settings are read, and it names every option's values and every format."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from check_trees import run, write_tree

from imgref.check.reports import FORMATS
from imgref.check.settings import read_policy
from imgref.config import load_config

PAGE = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_settings_on_the_page_are_read(tmp_path: Path) -> None:
    (text,) = blocks("toml")
    write_tree(tmp_path, {".imgref.toml": text})
    policy = read_policy(load_config(tmp_path / ".imgref.toml"))
    assert policy.golden is not None
    assert {"IMG104", "IMG301"} <= policy.enabled
    assert "IMG103" not in policy.enabled


@pytest.mark.parametrize("number", range(2))
def test_comments_on_the_page_ignore_their_findings(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, text = [("Dockerfile", blocks("dockerfile")[0]), (".gitlab-ci.yml", blocks("yaml")[0])][number]
    monkeypatch.chdir(write_tree(tmp_path, {name: text}))
    assert run(capsys, "check").out == ""
    write_tree(tmp_path, {name: text.replace("IMG102", "IMG101")})
    assert sorted(run(capsys, "check", "--format", "concise").codes()) == ["IMG102", "IMG902"]


def test_the_page_names_every_format() -> None:
    assert all(f"`{name}`" in PAGE for name in ("full", *FORMATS))
