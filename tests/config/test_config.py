"""Settings files: which one holds, what extends what, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tables import each
from vectors import imgref

from imgref import ConfigError
from imgref.config import Setting, _merged, find_config, load_config

KINDS = {"scheme": "string", "suffix": "strings", "major-zero": "boolean"}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def found(start: Path) -> Path | None:
    path = find_config(start)
    return path and path.resolve()


def test_nearest_file_upwards_applies(tmp_path: Path) -> None:
    outer = write(tmp_path / ".imgref.toml", "")
    shared = write(tmp_path / "a" / "pyproject.toml", "[tool.imgref.tags]\n")
    write(tmp_path / "a" / "b" / "pyproject.toml", "[project]\nname = 'imgref-user'\n")
    (tmp_path / "a" / "b" / "c").mkdir()
    assert found(tmp_path) == outer
    assert found(tmp_path / "a") == shared
    assert found(tmp_path / "a" / "b" / "c") == shared
    own = write(tmp_path / "a" / ".imgref.toml", "")
    assert found(tmp_path / "a") == own


def test_section_has_the_location_of_each_value(tmp_path: Path) -> None:
    path = write(tmp_path / ".imgref.toml", "[tags]\nscheme = 'numeric'\n\nsuffix = 'slim'\n")
    settings = load_config(path).section("tags", KINDS)
    assert settings["scheme"].value == "numeric"
    assert settings["suffix"].value == ["slim"]
    assert settings["suffix"].where == f"{path}:4"


def test_settings_of_a_file_override_those_that_it_extends(tmp_path: Path) -> None:
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
        ("\nx = \n", "is not valid TOML", 2),
    ],
)
def test_mistake_is_reported_with_its_line(tmp_path: Path, text: str, reason: str, line: int | None) -> None:
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


@pytest.mark.parametrize("top", ["directory", "file"])
def test_the_search_for_settings_stops_at_the_top_of_the_repository(tmp_path: Path, top: str) -> None:
    write(tmp_path / ".imgref.toml", "")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert found(tmp_path / "a" / "b") == tmp_path / ".imgref.toml"
    if top == "file":
        write(tmp_path / "a" / ".git", "gitdir: elsewhere\n")
    else:
        (tmp_path / "a" / ".git").mkdir()
    assert found(tmp_path / "a" / "b") is None
    own = write(tmp_path / "a" / "pyproject.toml", "[tool.imgref]\n")
    assert found(tmp_path / "a" / "b") == own


@pytest.mark.parametrize("depth", range(5))
def test_the_search_for_settings_looks_into_each_directory_up_to_the_top(tmp_path: Path, depth: int) -> None:
    start = tmp_path.joinpath(*"abcd")
    (start / "nested").mkdir(parents=True)
    (start / "nested" / ".git").mkdir()
    (tmp_path / ".git").mkdir()
    settings = write(start.joinpath(*[".."] * depth).resolve() / ".imgref.toml", "")
    assert found(start) == settings
    assert found(start / "nested") is None


def link(path: Path, target: str) -> None:
    path.symlink_to(target)


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a dangling link": (lambda path: link(path, "nowhere"), "it is a link to a file that does not exist"),
    "a link to itself": (lambda path: link(path, path.name), "Too many levels of symbolic links"),
    "a directory": (lambda path: path.mkdir(), "it is not a regular file"),
    "a link to a directory": (lambda path: link(path, "."), "it is not a regular file"),
    "a FIFO": (lambda path: os.mkfifo(path), "it is not a regular file"),
    "a device": (lambda path: link(path, "/dev/null"), "it is not a regular file"),
    "not UTF-8": (lambda path: path.write_bytes(b"[tool.imgref]\n\xff"), "is not UTF-8"),
    "not TOML": (lambda path: path.write_text("[tool.imgref"), "is not valid TOML"),
    "a long number": (
        lambda path: path.write_text("[tool.imgref]\nx = " + "1" * 5000),
        "has a number with too many digits",
    ),
    "deep": (lambda path: path.write_text("[tool.imgref]\nx = " + "[" * 9000), "is nested too deeply"),
}


@pytest.mark.parametrize("name", [".imgref.toml", "pyproject.toml"])
@pytest.mark.parametrize(
    "arguments", [("check",), ("check", "empty"), ("check", "--show-references"), ("tags", "1.2.3"), ("check", "-")]
)
@pytest.mark.parametrize("state", UNUSABLE)
def test_settings_that_cannot_be_used_are_an_error_in_every_command(
    tmp_path: Path, name: str, arguments: tuple[str, ...], state: str
) -> None:
    make, reason = UNUSABLE[state]
    make(tmp_path / name)
    (tmp_path / "empty").mkdir()
    done = imgref(*arguments, cwd=tmp_path, stdin="FROM scratch\n")
    assert (done.exit, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {name}")
    assert reason in done.stderr


@pytest.mark.parametrize("table", ["[tool]\nimgref = 1\n", "[[tool.imgref]]\n", "[tool]\nimgref = 'x'\n"])
def test_a_pyproject_whose_imgref_is_not_a_table_is_refused(tmp_path: Path, table: str) -> None:
    path = write(tmp_path / "pyproject.toml", table)
    with pytest.raises(ConfigError, match="must be a table"):
        load_config(path)


def test_extends_with_a_nul_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / ".imgref.toml", 'extends = "a\\u0000b"\n')
    with pytest.raises(ConfigError, match="has a NUL character"):
        load_config(path)


def test_settings_that_may_not_be_read_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "pyproject.toml", "[project]\n")

    def refuse(path: str, mode: str = "r") -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        find_config(tmp_path)


VALUES: list[object] = ["a", 1, True, ["a"], [], [Setting("a", "base.toml", 1)], {"a": 1}, {}]


@each("near", VALUES)
@each("far", VALUES)
def test_value_that_extends_one_of_another_type_replaces_it(far: object, near: object) -> None:
    merged = _merged(Setting(far, "base.toml", 1), Setting(near, ".imgref.toml", 2))
    assert (merged.path, merged.line) == (".imgref.toml", 2)
    if type(far) is not type(near):
        assert merged.value == near
