"""A user's directories: absolute in any case, and never in the working directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgref._utils.directories import cache_home, config_home, home_of


@pytest.mark.parametrize(
    ("environ", "config", "cache"),
    [
        ({"HOME": "/home/ada"}, "/home/ada/.config", "/home/ada/.cache"),
        ({"HOME": "/home/ada", "XDG_CONFIG_HOME": "/etc/ada", "XDG_CACHE_HOME": "/tmp/a"}, "/etc/ada", "/tmp/a"),
        ({"HOME": "/home/ada", "XDG_CONFIG_HOME": "x", "XDG_CACHE_HOME": ""}, "/home/ada/.config", "/home/ada/.cache"),
    ],
)
def test_directories_are_those_of_the_environment_if_absolute(environ: dict[str, str], config: str, cache: str) -> None:
    assert (config_home(environ), cache_home(environ)) == (Path(config), Path(cache))


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_home_without_an_absolute_variable_is_that_of_the_user(environ: dict[str, str]) -> None:
    assert home_of(environ) == Path.home().absolute()


def test_home_of_a_user_without_one_is_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", fail)
    assert home_of({}) == Path("/")
