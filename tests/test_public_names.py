"""The public names of each module: there, listed, documented, and loaded when they are first used."""

from __future__ import annotations

import inspect
import re
import tomllib
from importlib import import_module

import pytest
from tables import assert_each
from test_layering import loaded
from vectors import DATA

import imgref

NAMES = tomllib.loads((DATA / "public_names.toml").read_text(encoding="utf-8"))
MEMBERS = NAMES.pop("members")


@pytest.mark.parametrize("module", NAMES)
def test_public_names_of_a_module_are_those_of_the_list(module: str) -> None:
    found = import_module(module)
    assert sorted(found.__all__) == sorted(NAMES[module])
    assert set(found.__all__) <= set(dir(found))
    for name in found.__all__:
        assert getattr(found, name) is not None


@pytest.mark.parametrize("value", MEMBERS)
def test_public_members_of_a_value_are_those_of_the_list(value: str) -> None:
    found = {name for name in dir(getattr(imgref, value)) if not name.startswith("_")}
    assert found == set(MEMBERS[value])


@pytest.mark.parametrize("module", NAMES)
def test_a_name_that_does_not_exist_is_an_attribute_error(module: str) -> None:
    with pytest.raises(AttributeError, match=f"module {module!r} has no attribute 'nothing'"):
        import_module(module).nothing  # noqa: B018


def documented(public: tuple[str, str]) -> None:
    """Check that a class or function has a docstring that somebody wrote."""
    module, name = public
    value = getattr(import_module(module), name)
    if inspect.isclass(value) or inspect.isfunction(value):
        text = value.__doc__ or ""
        assert re.match(r"[A-Z`]", text), text
        assert not text.startswith(f"{name}("), "that is what a dataclass without a docstring has"


def test_a_public_name_has_a_docstring_of_its_own() -> None:
    assert_each([(module, name) for module in NAMES for name in NAMES[module]], documented, ".".join)


@pytest.mark.parametrize("module", [module for module in NAMES if module not in {"imgref", "imgref.ci"}])
def test_importing_a_package_loads_none_of_its_modules(module: str) -> None:
    assert {name for name in loaded(f"import {module}") if name.startswith("imgref")} == {"imgref", module}


def test_a_name_is_loaded_with_what_it_needs_only() -> None:
    modules = loaded("from imgref import Repository")
    assert not {name for name in modules if name.startswith("imgref.")} & {"imgref.tags", "imgref.registry"}
