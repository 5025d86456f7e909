"""``.imgref.toml`` and ``[tool.imgref]`` of pyproject.toml: finding them, reading them, telling what is wrong.

A project's settings are the nearest ``.imgref.toml``, or pyproject.toml with a ``[tool.imgref]``, upwards, but never
above the top of a git repository: what a developer keeps there is not part of the project. A settings file that is
there and cannot be read is an error, never the same as none. With
``extends`` a file takes in another one: tables are merged, lists of tables are joined, and of everything else the
value in the file that extends wins.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from imgref.errors import ConfigError, quote

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

__all__ = ["FILE_NAME", "Config", "Setting", "find_config", "load_config", "own_config", "parent_of", "table_settings"]

FILE_NAME: Final = ".imgref.toml"

_SECTIONS: Final = ("extends", "tags", "check", "update")

_KINDS: Final[dict[str, str]] = {
    "string": "a string",
    "boolean": "true or false",
    "date": "a date, as 2027-06-30",
    "strings": "a string or a list of strings",
    "table": "a table",
    "tables": "a list of tables",
}


class Setting(NamedTuple):
    """One value, with its file and 1-based line (None if unknown)."""

    value: object
    path: str
    line: int | None

    @property
    def where(self) -> str:
        """The location, as ``path:line``."""
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Config:
    """The settings files of a project; empty if there are none.

    Attributes:
        path: the file that was found, or None.
        files: every file that was read, the one found first, then what it extends.
    """

    path: Path | None = None
    files: tuple[Path, ...] = ()
    _settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)

    def section(self, name: str, kinds: Mapping[str, str]) -> dict[str, Setting]:
        """Return a section's settings, validated.

        Args:
            name: ``tags``, ``check`` or ``update``.
            kinds: every key that the section may have, and its kind: ``string``, ``boolean``, ``date``, ``strings``
                (a single string counts as a list of one), ``table``, or ``tables`` (a list of settings, each
                with its own location, for :func:`table_settings`).

        Raises:
            ConfigError: a key is unknown, and the nearest known one is named; or a value is of another kind.
        """
        return _validated(self._settings.get(name, {}), name, kinds)


def table_settings(entry: Setting, name: str, kinds: Mapping[str, str]) -> dict[str, Setting]:
    """Return the settings of one table of a list of tables, validated as :meth:`Config.section` does.

    Args:
        entry: one item of a setting of the kind ``tables``.
        name: what to call the table in a message, such as ``check.exceptions``.
        kinds: every key that it may have, and its kind.

    Raises:
        ConfigError: a key is unknown, or a value is of another kind.
    """
    table = cast("dict[str, object]", entry.value)
    return _validated({key: Setting(value, entry.path, entry.line) for key, value in table.items()}, name, kinds)


def _validated(settings: Mapping[str, Setting], name: str, kinds: Mapping[str, str]) -> dict[str, Setting]:
    valid = {}
    for key, setting in settings.items():
        if key not in kinds:
            from imgref._utils.suggest import did_you_mean

            raise ConfigError(f"unknown key {key!r} in [{name}]{did_you_mean(key, kinds)}", setting.path, setting.line)
        value = _coerced(setting.value, kinds[key])
        if value is None:
            reason = f"{key} in [{name}] must be {_KINDS[kinds[key]]}, not {_shown(setting.value)}"
            raise ConfigError(reason, setting.path, setting.line)
        valid[key] = Setting(value, setting.path, setting.line)
    return valid


def find_config(start: str | os.PathLike[str] = "") -> Path | None:
    """Return the settings file that applies in a directory, by default the current one: the nearest upwards.

    The search ends at the top of a git repository; outside of one it goes up to the root of the file system.
    Every command that has settings comes by here, mostly to find none, so pathlib is loaded only for a find.

    Raises:
        ConfigError: a settings file on the way cannot be read, or is not valid TOML.
    """
    directory, above = "", os.path.realpath(start)
    while directory != above:
        directory, above = above, parent_of(above)
        if (found := own_config(directory)) is not None:
            return found
    return None


def parent_of(directory: str) -> str:
    """Return the directory where the search for settings goes on, which is the same one where it ends."""
    return directory if os.path.lexists(os.path.join(directory, ".git")) else os.path.dirname(directory)


def own_config(directory: str) -> Path | None:
    """Return the settings file in a directory, or None.

    Raises:
        ConfigError: a pyproject.toml cannot be read, or mentions imgref and is not valid TOML.
    """
    for name in (FILE_NAME, "pyproject.toml"):
        candidate = os.path.join(directory, name)
        # Whatever has the name is meant as settings, even a broken link or a directory, and is refused when it is read.
        if os.path.lexists(candidate) and _has_settings(candidate):
            from pathlib import Path

            return Path(os.path.relpath(candidate))
    return None


def _has_settings(candidate: str) -> bool:
    if candidate.endswith(FILE_NAME):
        return True
    # Most pyproject.toml files have no settings of imgref, and need no parsing.
    if b"imgref" not in _bytes_of(candidate):
        return False
    from pathlib import Path

    return "imgref" in _tool_table(_read(Path(os.path.relpath(candidate))).table)


def _bytes_of(path: str) -> bytes:
    """Read a settings file; one that is not a regular file is refused, since opening a FIFO would wait forever.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            raise ConfigError("cannot be read: it is not a regular file", _shown_path(path))
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        dangling = os.path.islink(path)  # noqa: PTH114
        reason = "it is a link to a file that does not exist" if dangling else error.strerror
        raise ConfigError(f"cannot be read: {reason}", _shown_path(path)) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", _shown_path(path)) from error
    except ValueError as error:  # a NUL in the name
        raise ConfigError("cannot be read: this cannot be the name of a file", _shown_path(path)) from error


def _shown_path(path: str) -> str:
    return os.path.relpath(path) if os.path.isabs(path) else path


def load_config(path: Path | None) -> Config:
    """Read a settings file and all that it extends; None returns the empty settings.

    Raises:
        ConfigError: a file is missing or no TOML, a section is unknown, or the files extend each other in a circle.
    """
    if path is None:
        return Config()
    merged: dict[str, dict[str, Setting]] = {}
    files = []
    for file in _chain(path):
        files.append(file.path)
        for name, section in file.table.items():
            if name == "extends":
                continue
            if not isinstance(section, dict):
                raise ConfigError(f"{name} must be a table, as [{name}]", str(file.path), file.line(name))
            target = merged.setdefault(name, {})
            for key, value in section.items():
                placed = _placed(value, file, (name, key))
                said = Setting(placed, str(file.path), file.line(name, key))
                target[key] = _merged(said, target[key]) if key in target else said
    return Config(path, tuple(files), merged)


def _chain(path: Path) -> Iterator[_SettingsFile]:
    """Read the file and what it extends, nearest first."""
    from imgref.config._package_files import extended

    seen: list[Path] = []
    following: Path | None = path
    while following is not None:
        file = _read(following)
        path = following.resolve()
        if path in seen:
            circle = " -> ".join(file.name for file in (*seen[seen.index(path) :], path))
            raise ConfigError(f"extends goes in a circle: {circle}", str(seen[-1]))
        seen.append(path)
        if following.name == "pyproject.toml":
            file = _own_table(file)
        _refuse_nul(file.table, str(following))
        for name in file.table:
            if name not in _SECTIONS:
                from imgref._utils.suggest import did_you_mean

                meant = did_you_mean(name, _SECTIONS)
                raise ConfigError(f"unknown section {name!r}{meant}", str(following), file.line(name))
        yield file
        extends = file.table.get("extends")
        if extends is not None and not isinstance(extends, str):
            raise ConfigError("extends must be the path of one file", str(following), file.line("extends"))
        following = None if extends is None else extended(extends, following, file.line("extends"))


_Path = tuple[str | int, ...]


class _SettingsFile(NamedTuple):
    """A settings file: the table with the settings, and the lines of all keys of the file.

    ``above`` are the keys of the table.
    """

    path: Path
    table: dict[str, object]
    lines: Mapping[_Path, int]
    above: _Path = ()

    def line(self, *path: str | int) -> int | None:
        """Return the line of a key of the table."""
        return self.lines.get((*self.above, *path))


def _read(path: Path) -> _SettingsFile:
    from imgref._utils.documents import DocumentError, parse_toml
    from imgref._utils.toml_places import key_lines

    data = _bytes_of(str(path))
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
        return _SettingsFile(path, parse_toml(text), key_lines(text))
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", str(path)) from error
    except DocumentError as error:
        raise ConfigError(error.reason, str(path), error.line) from error


def _refuse_nul(value: object, path: str) -> None:
    """Refuse a NUL in any string: no path, pattern or reference has one, and the system takes none."""
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key, path)
            _refuse_nul(item, path)
    elif isinstance(value, list):
        for item in value:
            _refuse_nul(item, path)
    elif isinstance(value, str) and "\0" in value:
        raise ConfigError(f"{quote(value)} has a NUL character", path)


def _tool_table(table: dict[str, object]) -> dict[str, object]:
    tool = table.get("tool")
    return tool if isinstance(tool, dict) else {}


def _own_table(file: _SettingsFile) -> _SettingsFile:
    own = _tool_table(file.table).get("imgref", {})
    above = ("tool", "imgref")
    if not isinstance(own, dict):
        reason = "imgref in [tool] must be a table, as [tool.imgref]"
        raise ConfigError(reason, str(file.path), file.line(*above))
    return file._replace(table=own, above=above)


def _merged(farther: Setting, nearer: Setting) -> Setting:
    """Add the settings of an extended file, which the extending one overrides."""
    far, near = farther.value, nearer.value
    value = near
    if isinstance(near, dict) and isinstance(far, dict):
        value = {**far, **near}
    elif isinstance(near, list) and isinstance(far, list) and all(isinstance(item, Setting) for item in (*near, *far)):
        value = [*far, *near]
    return Setting(value, nearer.path, nearer.line)


def _placed(value: object, file: _SettingsFile, path: _Path) -> object:
    """Return each table of a list of tables with its own location, which it keeps when lists are joined."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return value
    return [Setting(item, str(file.path), file.line(*path, index)) for index, item in enumerate(value)]


def _coerced(value: object, kind: str) -> object | None:
    """Return the value as its kind, or None where it is of another."""
    if kind == "string":
        return value if isinstance(value, str) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "date":
        return _day(value)
    if kind == "strings":
        values = [value] if isinstance(value, str) else value
        return values if isinstance(values, list) and all(isinstance(item, str) for item in values) else None
    if kind == "table":
        return value if isinstance(value, dict) else None
    return value if _is_tables(value) else None


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, Setting) for item in value)


def _day(value: object) -> date | None:
    from datetime import date, datetime

    if isinstance(value, datetime):
        return value.date()
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value if isinstance(value, date) else None
    except ValueError:
        return None


def _shown(value: object) -> str:
    return "a list of tables" if value and _is_tables(value) else repr(value)
