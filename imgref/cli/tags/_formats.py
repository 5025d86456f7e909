"""What a tag plan looks like to the tool that takes it: plain lines, arguments, a bake file, a CI's own files."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Final, NamedTuple

import click

from imgref.cli import _console
from imgref.cli.tags._labels import NO_METADATA, Metadata
from imgref.reference import ImageReference
from imgref.tags import TagPlan

__all__ = ["LABEL_STYLES", "STYLES", "Printed", "bake_file", "on_one_line", "plain_pairs", "write_labels", "write_plan"]

STYLES: Final = ("lines", "csv", "args", "json", "bake", "github", "dotenv", "table")
LABEL_STYLES: Final = ("lines", "args", "json", "bake")

_PLAIN_WORD: Final = r"[A-Za-z0-9_@%+=:,./-]+"
"""A word that a shell takes as it is, also where it splits and expands an unquoted ``$(…)``."""

_CONTROL: Final = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"
"""Line breaks of any kind, and other control characters."""


class Printed(NamedTuple):
    """A plan with the repositories that it is for; without any, its bare tags are printed."""

    plan: TagPlan
    images: tuple[ImageReference, ...]
    metadata: Metadata = NO_METADATA

    @property
    def references(self) -> list[str]:
        """Every tag in every repository."""
        return [str(image.with_tag(tag)) for image in self.images for tag in self.plan.tags]

    @property
    def names(self) -> list[str]:
        """What is printed: references where there are repositories, else tags."""
        return self.references if self.images else list(self.plan.tags)

    def to_dict(self) -> dict[str, object]:
        """Return the plan as ``--format json`` prints it."""
        plan, (labels, annotations, _) = self.plan, self.metadata
        return {
            "version": plan.version,
            "scheme": plan.scheme,
            "prerelease": plan.prerelease,
            "tags": list(plan.tags),
            "held": [{"tag": held.tag, "because": held.because} for held in plan.held],
            "references": self.references,
            "existing": [{"source": source.source, "count": source.versions} for source in plan.existing],
            **({"labels": dict(labels), "annotations": dict(annotations)} if labels or annotations else {}),
        }


def write_plan(printed: Printed, style: str, bake_target: str) -> None:
    """Write a plan to stdout, in any of the styles but table and github."""
    names = printed.names
    if style == "json":
        _console.say_json(printed.to_dict())
    elif style == "csv":
        _console.say(",".join(on_one_line(names)))
    elif style == "args":
        _console.say(_all_arguments(printed))
    elif style == "bake":
        _console.say_json(bake_file(printed, bake_target), indent=2)
    elif style == "dotenv":
        variables = {
            "IMGREF_VERSION": printed.plan.version,
            "IMGREF_TAGS": ",".join(printed.plan.tags),
            "IMGREF_REFERENCES": ",".join(printed.references),
            **({"IMGREF_ARGS": _all_arguments(printed)} if printed.metadata.labels else {}),
        }
        _console.say("\n".join(on_one_line(f"{name}={value}" for name, value in variables.items())))
    else:
        _console.say("\n".join(on_one_line(names)))


def write_labels(metadata: Metadata, style: str, bake_target: str) -> None:
    """Write labels to stdout, in one of ``LABEL_STYLES``."""
    labels = metadata.labels
    if style == "json":
        _console.say_json(labels)
    elif style == "args":
        _console.say(_arguments("--label", plain_pairs(labels, metadata.typed, word=True)))
    elif style == "bake":
        _console.say_json(_bake(bake_target, {"labels": labels}), indent=2)
    else:
        _console.say("\n".join(on_one_line(plain_pairs(labels, metadata.typed))))


def bake_file(printed: Printed, target: str) -> dict[str, object]:
    """Return a bake file with the tags, and the labels and annotations if there are any."""
    fields: dict[str, list[str] | Mapping[str, str]] = {"tags": printed.names}
    if printed.metadata.labels:
        fields["labels"] = printed.metadata.labels
        fields["annotations"] = [f"{key}={value}" for key, value in printed.metadata.levelled.items()]
    return _bake(target, fields)


def plain_pairs(
    pairs: Mapping[str, str], typed: frozenset[str], *, word: bool = False, warned: Container[str] = ()
) -> list[str]:
    """Return ``KEY=VALUE`` of each pair.

    What the format cannot contain is omitted with a warning, unless somebody typed it.

    Args:
        pairs: the pairs.
        typed: the keys of those that somebody typed.
        word: whether each must be a word of a shell without quotes, rather than one line.
        warned: keys for which there was a warning already.
    """
    shown = []
    for key, value in pairs.items():
        text = f"{key}={value}"
        fits = re.fullmatch(_PLAIN_WORD, text, re.ASCII) if word else not re.search(_CONTROL, text)
        if not fits and key not in typed and key.rpartition(":")[2] not in typed:
            if key.rpartition(":")[2] in warned:
                continue
            reason = "would need quotes" if word else "contains a line break or a control character"
            _console.warn(f"{key} is omitted: its value {reason}")
        else:
            shown.append(text)
    return shown


def _all_arguments(printed: Printed) -> str:
    labels, annotations, typed = printed.metadata
    words = [_arguments("-t", printed.names)]
    words.append(_arguments("--label", plain_pairs(labels, typed, word=True)))
    words.append(_arguments("--annotation", plain_pairs(annotations, typed, word=True, warned=labels)))
    return " ".join(filter(None, words))


def on_one_line(values: Iterable[str]) -> list[str]:
    """Return the values, none of which a reader of lines may take for two.

    Raises:
        UsageError: one of them contains a line break or another control character.
    """
    values = list(values)
    for value in values:
        if re.search(_CONTROL, value):
            raise click.UsageError(f"{value!r} contains a line break or a control character; use --format json or bake")
    return values


def _arguments(option: str, values: list[str]) -> str:
    for value in values:
        if not re.fullmatch(_PLAIN_WORD, value, re.ASCII):
            raise click.UsageError(f"{value!r} would need quotes, which $(…) does not take; use --format bake")
    return " ".join(f"{option} {value}" for value in values)


def _bake(target: str, fields: Mapping[str, list[str] | Mapping[str, str]]) -> dict[str, object]:
    # https://docs.docker.com/build/bake/reference/ - bake expands variables in strings, as in ${GITHUB_TOKEN}.
    if not re.fullmatch(r"[A-Za-z0-9_-]+", target, re.ASCII):
        raise click.UsageError(f"--bake-target: {target!r} is not a valid target name: use letters, digits, _ and -")
    escaped = {
        field: [_bake_literal(text) for text in value]
        if isinstance(value, list)
        else {key: _bake_literal(text) for key, text in value.items()}
        for field, value in fields.items()
    }
    return {"target": {target: escaped}}


def _bake_literal(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")
