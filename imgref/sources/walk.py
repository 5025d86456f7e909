"""Which files a check reads: those in directories that git does not ignore, and files that are passed by name.

``git ls-files`` lists a repository. Outside of one, the same command runs with an empty repository for the
time of the call, so that ``.gitignore`` files have exactly git's meaning there too. Git is asked in a way that runs
nothing which a tree might bring along: no hooks, no file-system monitor, no transport.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Listing", "Unlisted", "shown_path"]

_GIT: Final = (
    "git",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.quotePath=false",
    "-c", "protocol.allow=never",
    "-c", "safe.directory=*",
)  # fmt: skip
_LIST: Final = ("ls-files", "-z", "--others", "--exclude-standard")
_DEPTH: Final = 32
"""How deeply repositories may be nested."""

_UNOPENED: Final = re.compile(r"warning: could not open directory '(.*?)/?': (.*)", re.DOTALL)


class Unlisted(NamedTuple):
    """What a listing could not look at.

    Attributes:
        path: where.
        reason: why.
        unread: whether something that belongs to the tree was not read, as opposed to what is excluded on purpose.
        directory: whether it is a directory.
    """

    path: str
    reason: str
    unread: bool = True
    directory: bool = False


@dataclass(slots=True)
class Listing:
    """Lists files, and notes on the way what cannot be looked at.

    Attributes:
        wanted: returns for a path whether a file may be of interest.
        environ: the environment that git gets, without what a calling git has put there.
        everything: whether what git ignores is listed too, so that no file in the tree can hide another.
        others: the regular files that are not of interest, in no order. Links are not among them.
        unlisted: what could not be looked at.
        warnings: what else is to be known about the listing, in words.
    """

    wanted: Callable[[str], bool]
    environ: Mapping[str, str]
    everything: bool = False
    others: list[str] = field(default_factory=list)
    unlisted: list[Unlisted] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def files(self, root: str) -> list[str]:
        """Return the files of interest below a directory, sorted, each as ``root`` with the rest behind it."""
        return sorted(set(self._within(root, root, self._environ(), 0)), key=lambda path: path.split("/"))

    def _within(self, directory: str, root: str, environ: dict[str, str], depth: int) -> Iterator[str]:
        names = None if self.everything else self._by_git(directory, environ)
        for path in self._by_hand(directory) if names is None else (_joined(directory, name) for name in names):
            try:
                mode = os.lstat(path).st_mode
            except FileNotFoundError:
                continue  # in git's index, but not there
            except OSError as error:
                self.unlisted.append(Unlisted(path, f"cannot be read: {error.strerror}"))
                continue
            if stat.S_ISDIR(mode):
                # A repository in the repository, as a submodule or by itself: git speaks for each one alone.
                if depth < _DEPTH:
                    yield from self._within(path.rstrip("/"), root, environ, depth + 1)
                else:
                    reason = f"more than {_DEPTH} repositories are nested in each other here"
                    self.unlisted.append(Unlisted(path, reason, directory=True))
            elif self._counts(path, mode, root):
                yield path

    def ignores(self, path: str) -> bool:
        """Return whether git ignores a file, or may do so: whether it does is not known if git cannot be asked."""
        directory, name = os.path.split(path)
        environ = self._environ()
        try:
            top = _repository(directory)
            place = ("-C", directory or ".")
            names = None if top is None else self._git(place, (*_LIST, "--cached", "--", name), environ, top)
            if names is None:
                names = self._outside(directory or ".", environ, name)
        except FileNotFoundError:
            return True
        return not names

    def _environ(self) -> dict[str, str]:
        environ = {name: value for name, value in self.environ.items() if not name.startswith("GIT_")}
        return environ | {
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }

    def _by_git(self, root: str, environ: dict[str, str]) -> list[str] | None:
        """Run git; None if it is not installed."""
        try:
            top = _repository(root)
            names = None if top is None else self._git(("-C", root), (*_LIST, "--cached"), environ, top)
            # Nothing may mean that the surrounding repository ignores this directory, which was passed nevertheless.
            return names or self._outside(root, environ)
        except FileNotFoundError:
            return None

    def _outside(self, root: str, environ: dict[str, str], *names: str) -> list[str] | None:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="imgref-") as empty:
            # All that git needs to take a directory for a repository.
            for part in ("objects", "refs"):
                Path(empty, part).mkdir()
            with open(f"{empty}/HEAD", "w", encoding="ascii") as head:
                head.write("ref: refs/heads/main\n")
            place = (f"--git-dir={empty}", f"--work-tree={Path(root).absolute()}", "-C", root)
            return self._git(place, (*_LIST, "--", *names), environ, None)

    def _git(
        self, place: tuple[str, ...], command: tuple[str, ...], environ: dict[str, str], top: str | None
    ) -> list[str] | None:
        """Ask git for names relative to the directory at the end of ``place``; ``top`` is that of its repository."""
        import subprocess

        asked = subprocess.run(
            [*_GIT, *place, *command], stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environ
        )
        told = os.fsdecode(asked.stderr).splitlines()
        here = os.path.realpath(place[-1])
        for found in filter(None, map(_UNOPENED.fullmatch, told)):
            # Messages have paths from the top of the repository.
            name = os.path.relpath(os.path.join(top or here, found[1]), here)
            self.unlisted.append(Unlisted(_joined(place[-1], name), f"cannot be read: {found[2]}", directory=True))
        if asked.returncode:
            if top is None:
                why = " ".join(told[-1:])
                self.warnings.append(f"git does not list {place[-1]}, so .gitignore is ignored: {why}")
            return None
        return [os.fsdecode(name) for name in asked.stdout.split(b"\0") if name]

    def _by_hand(self, root: str) -> Iterator[str]:
        """Walk without git, and so without ``.gitignore``."""
        ignored = False
        for directory, below, files in os.walk(root, onerror=self._unopened):
            place = _joined(root, os.path.relpath(directory, root))
            below[:] = [name for name in below if name != ".git"]
            ignored = ignored or (not self.everything and ".gitignore" in files)
            links = [name for name in below if os.path.islink(_joined(directory, name))]  # noqa: PTH114
            yield from (_joined(place, name) for name in (*files, *links))
        if ignored:
            self.warnings.append(f"{root}: git is not installed, so .gitignore is ignored")

    def _unopened(self, error: OSError) -> None:
        path = os.path.normpath(os.fsdecode(error.filename))
        self.unlisted.append(Unlisted(path, f"cannot be read: {error.strerror}", directory=True))

    def _counts(self, path: str, mode: int, root: str) -> bool:
        """Return whether a listed path is a file of interest; report links that are not followed."""
        wanted = self.wanted(path)
        if not stat.S_ISLNK(mode):
            if not wanted and stat.S_ISREG(mode):
                self.others.append(path)
            return wanted and self._is_file(path, mode)
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116
        except FileNotFoundError:
            if wanted:
                self.unlisted.append(Unlisted(path, "is a link to a file that does not exist"))
            return False
        except OSError as error:
            self.unlisted.append(Unlisted(path, f"cannot be read: {error.strerror}", unread=wanted))
            return False
        if stat.S_ISDIR(mode):
            self._linked_directory(path, root)
            return False
        return wanted and self._is_file(path, mode)

    def _is_file(self, path: str, mode: int) -> bool:
        if not stat.S_ISREG(mode):
            self.unlisted.append(Unlisted(path, "is not a regular file"))
        return stat.S_ISREG(mode)

    def _linked_directory(self, path: str, root: str) -> None:
        """Links to directories are not followed: a target inside the tree is read at its own path."""
        target, top = os.path.realpath(path), os.path.realpath(root)
        if not f"{target}/".startswith(f"{top.rstrip('/')}/"):
            reason = f"is a link to a directory outside of {root}"
            self.unlisted.append(Unlisted(path, reason, unread=False, directory=True))


def _repository(directory: str) -> str | None:
    """Return the nearest directory upwards with a ``.git``, from where git would list, or None."""
    here = os.path.realpath(directory)
    while not os.path.lexists(f"{here}/.git"):
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above
    return here


def _joined(directory: str, name: str) -> str:
    if name == ".":
        return directory
    return name if directory in {"", "."} else f"{directory.rstrip('/')}/{name}"


def shown_path(path: str) -> str:
    """Return a path as findings name it: relative to the working directory where it is below that."""
    if not path.startswith(("/", "./", "../")) and "/../" not in path and "//" not in path and "/./" not in path:
        return path
    whole = os.path.normpath(path)
    here = Path.cwd()
    if Path(whole).is_absolute() and Path(whole).is_relative_to(here):
        return str(Path(whole).relative_to(here))
    return whole
