"""Settings files: which one holds, what extends what, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgref import ConfigError
from imgref.config import find_config, load_config

KINDS = {"scheme": "string", "suffix": "strings", "major-zero": "boolean"}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def found(start: Path) -> Path | None:
    path = find_config(start)
    return path and path.resolve()


def test_the_nearest_file_upwards_holds(tmp_path: Path) -> None:
    outer = write(tmp_path / ".imgref.toml", "")
    shared = write(tmp_path / "a" / "pyproject.toml", "[tool.imgref.tags]\n")
    write(tmp_path / "a" / "b" / "pyproject.toml", "[project]\nname = 'imgref-user'\n")
    (tmp_path / "a" / "b" / "c").mkdir()
    assert found(tmp_path) == outer
    assert found(tmp_path / "a") == shared
    assert found(tmp_path / "a" / "b" / "c") == shared
    own = write(tmp_path / "a" / ".imgref.toml", "")
    assert found(tmp_path / "a") == own


def test_a_section_is_read_with_the_place_of_each_value(tmp_path: Path) -> None:
    path = write(tmp_path / ".imgref.toml", "[tags]\nscheme = 'numeric'\n\nsuffix = 'slim'\n")
    settings = load_config(path).section("tags", KINDS)
    assert settings["scheme"].value == "numeric"
    assert settings["suffix"].value == ["slim"]
    assert settings["suffix"].where == f"{path}:4"


def test_what_a_file_says_wins_over_what_it_extends(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", "[tags]\nscheme = 'numeric'\nmajor-zero = true\n")
    path = write(tmp_path / "repo" / ".imgref.toml", "extends = '../base.toml'\n[tags]\nscheme = 'pep440'\n")
    settings = load_config(path).section("tags", KINDS)
    assert settings["scheme"].value == "pep440"
    assert settings["major-zero"].value is True
    assert settings["major-zero"].path.endswith("base.toml")


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("[tags]\nsufix = 'x'\n", "did you mean 'suffix'?", 2),
        ("[tags]\nscheme = 1\n", "must be a string", 2),
        ("[tags]\nsuffix = [1]\n", "a string or a list of strings", 2),
        ("[tags]\nmajor-zero = 1\n", "true or false", 2),
        ("tags = 1\n", "must be a table", 1),
        ("[tag]\n", "did you mean 'tags'?", 1),
        ("extends = 1\n", "the path of one file", 1),
        ("extends = 'missing.toml'\n", "No such file", None),
        ("extends = '.imgref.toml'\n", "circle", None),
        ("\nx = \n", "is no TOML", 2),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, reason: str, line: int | None) -> None:
    path = write(tmp_path / ".imgref.toml", text)
    with pytest.raises(ConfigError) as caught:
        load_config(path).section("tags", KINDS)
    assert reason in str(caught.value)
    assert caught.value.line == line


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".imgref.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(path)
