"""The schemas are valid, say what each value is, and have the keys and choices that the code has."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from output_schemas import LINES, SAME_NAME, SCHEMA_OF
from settings_page import settings_page
from tables import each
from vectors import ROOT, imgref

from imgref import TagPolicy
from imgref.check import settings
from imgref.cli import _plan, _update_policy
from imgref.schemas import names, schema
from imgref.tags import CHOICES
from imgref.update.policy import LEVELS

SETTINGS: dict[str, Any] = json.loads(schema("settings"))
SECTIONS: Mapping[str, Any] = SETTINGS["properties"]
KINDS = {
    "tags": _plan.KINDS,
    "check": settings._KINDS,
    "update": _update_policy._KINDS,
}
TYPES = {"string": "string", "boolean": "boolean", "table": "object", "tables": "array"}


def described(value: object, path: str = "$") -> Iterator[str]:
    """Yield the place of each property without a description or a fixed value."""
    if isinstance(value, dict):
        for key, item in value.get("properties", {}).items() if isinstance(value.get("properties"), dict) else ():
            if not {"description", "const", "enum", "anyOf", "$ref"} & set(item) and "properties" not in item:
                yield f"{path}.{key}"
        for key, item in value.items():
            yield from described(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from described(item, path)


@each("name", names())
def test_schema_is_valid_and_describes_every_property(name: str) -> None:
    document = json.loads(schema(name))
    Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(described(document)) == []


def test_schema_exists_for_every_output_of_the_tests() -> None:
    assert {*SAME_NAME, *SCHEMA_OF.values(), *LINES} <= set(names())


@pytest.mark.parametrize("section", sorted(KINDS))
def test_settings_have_the_keys_and_types_of_the_code(section: str) -> None:
    properties = SECTIONS[section]["properties"]
    assert set(properties) == set(KINDS[section])
    for key, kind in KINDS[section].items():
        item = properties[key]
        if kind == "strings":
            assert [each["type"] for each in item["anyOf"]] == ["string", "array"], key
        else:
            assert item.get("type", "string") == TYPES[kind], key


def test_settings_of_tables_have_the_keys_of_the_code() -> None:
    exceptions = SECTIONS["check"]["properties"]["exceptions"]["items"]["properties"]
    assert set(exceptions) == set(settings._EXEMPTION_KINDS)
    images = SECTIONS["update"]["properties"]["images"]["items"]["properties"]
    assert set(images) == set(_update_policy._IMAGE_KINDS)


def test_settings_have_the_choices_and_defaults_of_the_code() -> None:
    properties = SECTIONS["tags"]["properties"]
    assert {key: tuple(properties[key]["enum"]) for key in CHOICES} == CHOICES
    assert {key: properties[key]["default"] for key in CHOICES} == {key: getattr(TagPolicy(), key) for key in CHOICES}
    assert set(SECTIONS["update"]["properties"]["to"]["enum"]) == set(LEVELS)
    assert tuple(SECTIONS["check"]["properties"]["golden-scope"]["enum"]) == settings._SCOPES


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[tags]\nlatest = 'never'\nimage = 'ghcr.io/acme/app'\n", None),
        ("extends = '../policy.toml'\n[check.files]\n'*.tpl' = 'dockerfile'\n", None),
        ("[[check.exceptions]]\nimage = 'redis'\nrules = ['IMG1']\nreason = 'x'\n", None),
        ("[tags]\nlatst = 'never'\n", "latst"),
        ("[tags]\nlatest = 'sometimes'\n", "sometimes"),
        ("[[check.exceptions]]\nreason = 'x'\n", "image"),
        ("[update]\nto = 3\n", "3"),
    ],
)
def test_settings_are_validated(text: str, problem: str | None) -> None:
    errors = [error.message for error in Draft202012Validator(SETTINGS).iter_errors(tomllib.loads(text))]
    assert (errors == []) if problem is None else (len(errors) == 1 and problem in errors[0])


def test_settings_page_is_what_the_schema_has() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page()


def test_command_prints_a_schema_and_lists_them() -> None:
    assert imgref("schema").stdout.split() == list(names())
    assert imgref("schema", "parse").stdout == schema("parse")


def test_command_rejects_an_unknown_schema() -> None:
    done = imgref("schema", "pars")
    assert (done.exit, done.stdout) == (2, "")
    assert "no schema 'pars'; did you mean 'parse'?" in done.stderr


def test_schema_of_an_unknown_name_raises() -> None:
    with pytest.raises(KeyError):
        schema("../settings")
