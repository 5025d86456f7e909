"""Writes docs/settings.md from the schema of the settings: python tests/settings_page.py > docs/settings.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from imgref.schemas import schema

INTRODUCTION = """# Settings

The settings of a project are in `.imgref.toml`, or in the table `[tool.imgref]` of `pyproject.toml`. imgref reads the
nearest file in the working directory or above it, up to the top of the git repository. `imgref check` reads the nearest
file of each directory that it checks. Options of the command line override settings.

Editors can complete and validate `.imgref.toml` with the JSON Schema that `imgref schema settings` prints.
"""


def settings_page() -> str:
    """Return the page."""
    document = json.loads(schema("settings"))
    sections = [f"| `extends` | path | | {document['properties']['extends']['description']} |"]
    text = INTRODUCTION + "\n" + table(sections)
    for name in ("tags", "check", "update"):
        rows = list(rows_of(document["properties"][name]["properties"]))
        text += f"\n## [{name}]\n\n{table(rows)}"
        for key, item in document["properties"][name]["properties"].items():
            if "properties" in item.get("items", {}):
                text += f"\n### [[{name}.{key}]]\n\n{table(list(rows_of(item['items']['properties'])))}"
    return text


def table(rows: list[str]) -> str:
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def rows_of(properties: dict[str, Any]) -> Iterator[str]:
    for key, item in properties.items():
        default = f"`{json.dumps(item['default'])}`" if "default" in item else ""
        examples = [f" Example: `{toml(example)}`." for example in item.get("examples", ())]
        yield f"| `{key}` | {kind(item)} | {default} | {item['description']}{''.join(examples)} |"


def kind(item: dict[str, Any]) -> str:
    if "enum" in item:
        return ", ".join(f"`{json.dumps(word)}`" for word in item["enum"])
    if "anyOf" in item:
        return "string or list of strings" if len(item["anyOf"]) == 2 else "date"
    words = {"string": "string", "boolean": "`true`, `false`", "object": "table", "array": "list of tables"}
    return words[item["type"]]


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {json.dumps(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


if __name__ == "__main__":
    print(settings_page(), end="")
