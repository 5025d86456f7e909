"""Files of installed packages: found, and nothing of the package runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from vectors import clean_environ, imgref

from imgref.config import load_config
from imgref.config._package_files import package_file
from imgref.errors import ConfigError

POLICY = '[check]\nallowed = ["ghcr.io/acme/**"]\n'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a directory of packages with one that would be noticed if it ran."""
    package = tmp_path / "site" / "acme_policy"
    (package / "more").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the package ran')\n", encoding="utf-8")
    (package / "imgref.toml").write_text(POLICY, encoding="utf-8")
    (package / "more" / "strict.toml").write_text('extends = "../imgref.toml"\n', encoding="utf-8")
    return tmp_path / "site"


def test_a_file_of_a_package_is_found_without_running_it(site: Path) -> None:
    found = package_file("package:acme_policy/imgref.toml", search=[str(site)])
    assert found == site / "acme_policy" / "imgref.toml"
    assert "acme_policy" not in sys.modules


@pytest.mark.parametrize(
    "text",
    [
        "package:", "package:acme_policy", "package:acme_policy/", "package:/imgref.toml", "package:a.b/imgref.toml",
        "package:acme_policy/../x.toml", "package:acme_policy//imgref.toml", "package:../acme_policy/imgref.toml",
        "package:acme-policy/imgref.toml", "package:acme_policy/./imgref.toml",
    ],
)  # fmt: skip
def test_other_forms_are_refused(text: str, site: Path) -> None:
    with pytest.raises(ValueError, match="is not of the form package:NAME/FILE"):
        package_file(text, search=[str(site)])


def test_what_is_missing_is_named(site: Path) -> None:
    with pytest.raises(ValueError, match="the package 'other' is not installed"):
        package_file("package:other/imgref.toml", search=[str(site)])
    with pytest.raises(ValueError, match=r"the package 'acme_policy' has no file 'gone\.toml'"):
        package_file("package:acme_policy/gone.toml", search=[str(site)])
    (site / "module.py").touch()
    with pytest.raises(ValueError, match="the package 'module' is not installed"):
        package_file("package:module/imgref.toml", search=[str(site)])


@pytest.mark.parametrize("place", ["", ".", "site", None])
def test_the_working_directory_is_not_searched(place: str | None, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site)
    with pytest.raises(ValueError, match="is not installed"):
        package_file("package:acme_policy/imgref.toml", search=[str(site) if place is None else place])


def test_settings_extend_a_file_of_a_package(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(site))
    settings = tmp_path / ".imgref.toml"
    settings.write_text('extends = "package:acme_policy/more/strict.toml"\n', encoding="utf-8")
    config = load_config(settings)
    assert config.section("check", {"allowed": "strings"})["allowed"].value == ["ghcr.io/acme/**"]
    assert [path.name for path in config.files] == [".imgref.toml", "strict.toml", "imgref.toml"]


def test_a_package_that_is_missing_is_an_error_with_its_line(tmp_path: Path) -> None:
    settings = tmp_path / ".imgref.toml"
    settings.write_text('\nextends = "package:acme_nothing/imgref.toml"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="extends: the package 'acme_nothing' is not installed") as error:
        load_config(settings)
    assert error.value.line == 2


def test_a_tree_cannot_replace_the_policy(site: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "acme_policy").mkdir(parents=True)
    (tree / "acme_policy" / "imgref.toml").write_text("[check]\nselect = []\n", encoding="utf-8")
    (tree / "Dockerfile").write_text("FROM nginx:1.27.3\n", encoding="utf-8")
    (tmp_path / "enforced.toml").write_text('extends = "package:acme_policy/imgref.toml"\n', encoding="utf-8")
    environ = clean_environ(PYTHONPATH=str(site))
    done = imgref("check", "--enforce", "../enforced.toml", cwd=tree, environ=environ)
    assert done.exit == 1, done.stderr
    assert "IMG201" in done.stdout
