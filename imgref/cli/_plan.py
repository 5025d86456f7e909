"""The options of a tag plan, for every command with one: from the command line, otherwise from the settings.

A command is decorated with :func:`plan_options` and calls :func:`gather`, which returns every option's value and where
it comes from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

import click

from imgref.cli import EXIT_FINDINGS, _console
from imgref.cli._environments import environment_settings
from imgref.cli._image_option import lowercased, read_image
from imgref.cli._plan_words import check_match, match_names, match_version, read_floating, read_tables
from imgref.config import Setting, find_config, load_config
from imgref.errors import ConfigError, InvalidReference, InvalidTag
from imgref.reference import ImageReference
from imgref.tags import CHOICES, FLOATING, ExistingTags, TagPlan, TagPolicy
from imgref.versions import read_name

__all__ = ["PlanOptions", "gather", "plan_options", "read_existing", "tell_existing", "tell_held", "tell_nothing_left"]

KINDS: Final = {
    "scheme": "string",
    "prefix": "string",
    "suffix": "strings",
    "v": "string",
    "latest": "string",
    "major-zero": "boolean",
    "channels": "boolean",
    "build": "string",
    "floating": "strings",
    "match": "string",
    "existing": "strings",
    "image": "strings",
    "default-branch": "string",
    "sha": "boolean",
    "any-tag": "boolean",
    "default-tags": "boolean",
    "rules": "tables",
    "labels": "table",
    "annotations": "table",
    "environments": "table",
}
"""The keys of ``[tags]``, each the option of the same name, and the kind of its value."""

_NOT_FILES: Final = ("command line", "default")
"""Origins of a value other than a location in a file."""

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option("--scheme", type=click.Choice(CHOICES["scheme"]), default="semver", help="Version scheme"),
    click.option(
        "--prefix", metavar="TEXT", default="", help="What comes before the version, such as app- in app-v1.2.3"
    ),
    click.option(
        "--suffix",
        metavar="TEXT",
        multiple=True,
        help="Add this suffix to each tag, such as alpine; '' adds none; repeatable",
    ),
    click.option("--v", type=click.Choice(CHOICES["v"]), default="strip", help="Whether tags begin with v"),
    click.option("--latest", type=click.Choice(CHOICES["latest"]), default="auto", help="When a version gets latest"),
    click.option("--major-zero/--no-major-zero", default=False, help="Also plan the tag 0 for versions below 1.0"),
    click.option(
        "--channels/--no-channels",
        default=False,
        help="Also plan the channels of a pre-release, such as 2.0-rc and rc",
    ),
    click.option(
        "--build",
        type=click.Choice(CHOICES["build"]),
        default="drop",
        help="Drop build metadata, or keep it after an underscore",
    ),
    click.option(
        "--floating",
        metavar="WORDS",
        default=",".join(FLOATING),
        show_default=True,
        help="Which floating tags a version gets, or none",
    ),
    click.option(
        "--match", metavar="REGEX", default="", help="Find the version in the git tag or branch, such as 'app/v(.+)'"
    ),
)
_ALLOW_EMPTY: Final = click.option(
    "--allow-empty", is_flag=True, help="Accept an empty file or standard input, for the very first release"
)
_SOURCE_OPTIONS: Final = (
    click.option(
        "--existing",
        metavar="SOURCE",
        multiple=True,
        help="Existing tags: git, registry, a file, or - for standard input; repeatable",
    ),
    click.option("--image", metavar="REPO", multiple=True, help="Print full references in this repository; repeatable"),
)


def plan_options(*, sources: bool = True) -> Callable[[_Command], _Command]:
    """Return the decorator that puts a tag plan's options on a command.

    Args:
        sources: whether ``--existing`` and ``--image`` are among them.
    """

    def decorate(command: _Command) -> _Command:
        for option in reversed((*_OPTIONS, *(_SOURCE_OPTIONS if sources else ()), _ALLOW_EMPTY)):
            command = option(command)
        return command

    return decorate


class PlanOptions(NamedTuple):
    """Every option of a tag plan, and its origin: the command line, a location in a file, or the default."""

    values: dict[str, Any]
    origins: dict[str, str]
    base: str
    allow_empty: bool = False
    metadata: Mapping[str, Mapping[str, str]] = {}

    @property
    def policy(self) -> TagPolicy:
        """The options that determine how tags are derived."""
        return TagPolicy(
            scheme=self.values["scheme"],
            prefix=self.values["prefix"],
            suffix=tuple(self.values["suffix"]),
            v=self.values["v"],
            latest=self.values["latest"],
            major_zero=self.values["major-zero"],
            channels=self.values["channels"],
            build=self.values["build"],
            floating=self.values["floating"],
        )

    def version_of(self, name: str) -> str:
        """Return the version that ``--match`` finds in a name, or the name without the option.

        Raises:
            InvalidVersion: it finds none.
        """
        return match_version(name, self.values["match"])

    @property
    def images(self) -> list[ImageReference]:
        """The repositories of ``--image``, normalised.

        Raises:
            InvalidReference: one is none, or carries a tag or a digest.
        """
        return [read_image(text) for text in self.values["image"]]


def gather(context: click.Context) -> PlanOptions:
    """Combine the options on the command line with those in the settings; the command line takes precedence.

    Raises:
        ConfigError: the settings cannot be used.
    """
    config = load_config(find_config())
    settings = config.section("tags", KINDS)
    settings |= environment_settings(settings)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for key in KINDS:
        name = key.replace("-", "_")
        if name not in context.params or KINDS[key] == "table":
            continue
        values[key], origins[key] = context.params[name], "default"
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            origins[key] = "command line"
        elif key in settings:
            setting = settings[key]
            values[key], origins[key] = setting.value, setting.where
            if key in CHOICES and setting.value not in CHOICES[key]:
                words = ", ".join(CHOICES[key])
                raise ConfigError(f"{key} is one of {words}, not {setting.value!r}", setting.path, setting.line)
    base = os.path.dirname(settings["existing"].path) if origins.get("existing", "default") not in _NOT_FILES else ""
    if "templates" in context.params:
        values["rules"] = settings["rules"].value if "rules" in settings else []
        origins["rules"] = settings["rules"].where if "rules" in settings else "default"
    if "image" in values:
        values["image"] = tuple(map(lowercased, values["image"]))
    values["floating"] = read_floating(values["floating"], origins["floating"])
    check_match(values["match"], values["prefix"], origins["match"])
    metadata = read_tables(settings, "labels", "annotations")
    options = PlanOptions(values, origins, base, bool(context.params.get("allow_empty")), metadata)
    if options.allow_empty and not values["existing"]:
        raise click.UsageError("--allow-empty goes with --existing")
    _check(options, settings)
    return options


def _check(options: PlanOptions, settings: dict[str, Setting]) -> None:
    """Refuse a value in the settings that the option of the same name would refuse, and report its location."""
    for key, use in (("suffix", lambda: options.policy), ("image", lambda: options.images)):
        if options.origins.get(key, "default") not in _NOT_FILES:
            try:
                use()
            except (InvalidTag, InvalidReference) as error:
                raise ConfigError(f"{key}: {error}", settings[key].path, settings[key].line) from None


def tell_existing(plan: TagPlan, *, warning: bool = True) -> None:
    """Report on stderr what was known.

    Args:
        plan: the plan.
        warning: whether to warn of a source that has names, but no version on a line of the release.
    """
    for source in plan.existing:
        name = "standard input" if source.source == "-" else source.source
        _console.note(f"existing: {name}, {_counted(source.versions, 'version')}")
        for suffix in source.unknown if source.names and warning else ():
            line = f"line {suffix!r}" if suffix else "line"
            _console.warn(f"{name} has {_counted(source.names, 'name')}, but no version on the {line} of this release")


def tell_held(plan: TagPlan) -> None:
    """Report on stderr which tags are held, and by which version."""
    for held in plan.held:
        _console.note(f"held: {held.tag} ({held.because} is newer)")
    if plan.held:
        from imgref.cli._github import tell_held_in_actions

        tell_held_in_actions(plan.held)


def tell_nothing_left(version: str, *, held: bool = True) -> int:
    """Report that later versions hold every tag, or that no rule adds one, and return the exit code for that."""
    if held:
        _console.error(f"no tags to publish for {version}: later versions hold them all")
    else:
        _console.error(f"no tags to publish for {version}: no rule makes one for this build")
    return EXIT_FINDINGS


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def read_existing(
    options: PlanOptions, list_registry: Callable[[ImageReference], Iterable[str]], *, released: str | None = None
) -> list[ExistingTags] | None:
    """Ask every source of ``--existing`` for its names; None without the option.

    Args:
        options: what was gathered.
        list_registry: returns the tags of a repository on its registry.
        released: the version that is being released, with the prefix.
    """
    if not options.values["existing"]:
        return None
    sources: list[ExistingTags] = []
    for source in dict.fromkeys(options.values["existing"]):
        if not source:
            raise click.UsageError("--existing names nothing (an unset variable?)")
        if source == "git":
            sources.append(_git_tags(options, released))
        elif source == "registry":
            sources += _registry_tags(options, list_registry)
        else:
            sources += _listed_tags(options, source)
    return match_names(sources, options.values["match"])


def _git_tags(options: PlanOptions, released: str | None) -> ExistingTags:
    from imgref.cli._git import list_tags

    def is_released(name: str) -> bool:
        (source,) = match_names([ExistingTags((name,))], options.values["match"])
        return released is not None and any(_is_release(each, released, options.policy) for each in source.names)

    found = list_tags(is_released)
    for remote in found.asked:
        _console.note(f"existing: git: this clone {found.lacking}, so its remote {remote!r} was asked for its tags")
    return ExistingTags(found.names, "git", "git")


def _is_release(name: str, released: str, policy: TagPolicy) -> bool:
    """Whether a git tag names the version that is being released; `v1.2.3` names 1.2.3 as well."""
    if name == released:
        return True
    one, other = (read_name(text.removeprefix(policy.prefix), policy.scheme) for text in (name, released))
    return one is not None and other is not None and bool(one.order == other.order)


def _registry_tags(
    options: PlanOptions, list_registry: Callable[[ImageReference], Iterable[str]]
) -> list[ExistingTags]:
    if not options.images:
        raise click.UsageError("--existing registry asks for the tags of every --image, and there is none")
    return [
        ExistingTags(tuple(list_registry(image)), f"registry {image.repository}", "registry")
        for image in options.images
    ]


def _listed_tags(options: PlanOptions, source: str) -> list[ExistingTags]:
    from imgref.cli._tag_lists import read_tag_list

    return read_tag_list(
        _read(source, options.base),
        source,
        images=options.images,
        policy=options.policy,
        allow_empty=options.allow_empty,
    )


def _read(source: str, base: str) -> bytes:
    if source != "-":
        from pathlib import Path

        return Path(base, source).read_bytes()
    return _console.read_stdin()
