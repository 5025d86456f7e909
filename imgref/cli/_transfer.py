"""What push, pull and copy share: their options, and how they show layers, to a person or to a program.

Off a terminal each layer gets one line as it ends, with the last word that Docker has for it. On a terminal the same
words are printed beside progress bars.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast

import click

from imgref.cli import _console

if TYPE_CHECKING:
    from types import FrameType

    from rich.progress import Progress

    from imgref.archive.image import Blob
    from imgref.reference import ImageReference
    from imgref.registry.transfer.mount_cache import PushedBlobs
    from imgref.registry.transfer.moves import LayerOutcome, Transferred, Watcher

__all__ = ["mount_option", "pushed_blobs", "transfer_options", "watching"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option(
        "--jobs",
        metavar="N",
        type=click.IntRange(1, 64),
        default=4,
        show_default=True,
        help="How many blobs to transfer at the same time",
    ),
    click.option(
        "--format",
        "style",
        type=click.Choice(["text", "json"]),
        default="text",
        help="Output format; json prints one object per layer",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print only the digest"),
)

_PUSH_WORDS: Final = {
    "pushed": "Pushed",
    "exists": "Layer already exists",
    "skipped": "Skipped foreign layer",
    "mounted": "Mounted from",
}
_PULL_WORDS: Final = {"pulled": "Pull complete", "exists": "Already exists", "skipped": "Skipped foreign layer"}


def transfer_options(command: _Command) -> _Command:
    """Add the options for how blobs are transferred and shown to a command."""
    decorated: Callable[..., Any] = command
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("_Command", decorated)


def mount_option(command: _Command) -> _Command:
    """Put ``--mount-from`` on a command."""
    help_text = "A repository that may have layers of the image already. Repeatable."
    return click.option("--mount-from", metavar="REPO", multiple=True, help=help_text)(command)


def pushed_blobs() -> PushedBlobs:
    """Return the memory of what was pushed where."""
    from imgref._utils.directories import cache_home
    from imgref.registry.transfer.mount_cache import PushedBlobs

    return PushedBlobs(cache_home(os.environ) / "imgref" / "pushed.json")


@contextmanager
def watching(style: str, *, quiet: bool, pulls: bool = False) -> Iterator[Watcher]:
    """Yield the display of a transfer that the options select; SIGTERM is treated as Ctrl-C meanwhile.

    Args:
        style: ``text``, ``json``, or ``none`` for a transfer that is not the command's result.
        quiet: whether to print the digest alone.
        pulls: whether images come here.
    """
    words = _PULL_WORDS if pulls else _PUSH_WORDS
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        if quiet or style == "none":
            yield _Quiet(silent=style == "none")
        elif style == "json":
            yield _Json()
        elif _console.is_terminal() and os.environ.get("TERM") != "dumb":
            with _Live(words, pulls=pulls) as live:
                yield live
        else:
            yield _PlainWatcher(words, pulls=pulls)
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say(line: str | dict[str, object]) -> None:
    """Print a line at once. A closed pipe neither ends the transfer nor makes it fail."""
    try:
        if isinstance(line, str):
            _console.say(line)
        else:
            _console.say_json(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _word(words: dict[str, str], layer: LayerOutcome) -> str:
    word = words[layer.status]
    return word if layer.source is None else f"{word} {layer.source.path}"


def _headline(repository: ImageReference, *, pulls: bool) -> str:
    if pulls:
        return f"{repository.digest or repository.tag}: Pulling from {repository.path}"
    return f"The push refers to repository [{repository.repository}]"


def _last_line(image: Transferred) -> str:
    tag = f"{image.reference.tag}: " if image.reference.tag else ""
    return f"{tag}digest: {image.digest} size: {image.size}"


class _Quiet:
    """Prints the digest, once, whatever names the image gets; or nothing at all."""

    def __init__(self, *, silent: bool) -> None:
        self._printed = silent

    def begins(self, repository: ImageReference, layers: Sequence[Blob]) -> None: ...

    def advances(self, blob: Blob, done: int, size: int) -> None: ...

    def ends(self, layer: LayerOutcome) -> None: ...

    def arrives(self, image: Transferred) -> None:
        if not self._printed:
            _say(image.digest)
        self._printed = True


class _Json:
    """Prints one object a line."""

    _repository = ""

    def begins(self, repository: ImageReference, layers: Sequence[Blob]) -> None:
        self._repository = repository.repository

    def advances(self, blob: Blob, done: int, size: int) -> None: ...

    def ends(self, layer: LayerOutcome) -> None:
        fields: dict[str, object] = {
            "repository": self._repository,
            "id": layer.id,
            "digest": layer.digest,
            "size": layer.size,
            "status": layer.status,
        }
        if layer.source is not None:
            fields["from"] = layer.source.repository
        _say(fields)

    def arrives(self, image: Transferred) -> None:
        _say({"reference": str(image.reference), "digest": image.digest, "size": image.size})


class _PlainWatcher:
    """Prints a line as each layer ends."""

    def __init__(self, words: dict[str, str], *, pulls: bool) -> None:
        self._words = words
        self._pulls = pulls

    def begins(self, repository: ImageReference, layers: Sequence[Blob]) -> None:
        _say(_headline(repository, pulls=self._pulls))

    def advances(self, blob: Blob, done: int, size: int) -> None: ...

    def ends(self, layer: LayerOutcome) -> None:
        _say(f"{layer.id}: {_word(self._words, layer)}")

    def arrives(self, image: Transferred) -> None:
        _say(_last_line(image))


class _Live:
    """Draws a bar for each layer that moves."""

    def __init__(self, words: dict[str, str], *, pulls: bool) -> None:
        self._words = words
        self._pulls = pulls
        self._drawn: Progress | None = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> _Live:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def begins(self, repository: ImageReference, layers: Sequence[Blob]) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self._stop()
        _say(_headline(repository, pulls=self._pulls))

        class Moving(BarColumn):
            """Show a bar only if there is something to show."""

            def render(self, task: Any) -> Any:  # noqa: ANN401 - as rich has it
                return super().render(task) if task.fields["moves"] else ""

        class Amount(DownloadColumn):
            """Bytes of all bytes, likewise."""

            def render(self, task: Any) -> Any:  # noqa: ANN401
                return super().render(task) if task.fields["moves"] else ""

        class Speed(TransferSpeedColumn):
            """Bytes a second, likewise."""

            def render(self, task: Any) -> Any:  # noqa: ANN401
                return super().render(task) if task.fields["moves"] else ""

        columns = (TextColumn("{task.description}", markup=False), Moving(bar_width=30), Amount(), Speed())
        self._drawn = Progress(*columns, console=_console.console())
        self._drawn.start()
        for layer in layers:
            self._tasks[layer.label] = self._drawn.add_task(
                _console.shown(f"{layer.label}: Waiting"), total=None, moves=False
            )

    def advances(self, blob: Blob, done: int, size: int) -> None:
        task = self._tasks.get(blob.label)
        if self._drawn is not None and task is not None:
            doing = "Downloading" if self._pulls else "Pushing"
            self._drawn.update(
                task, description=_console.shown(f"{blob.label}: {doing}"), completed=done, total=size, moves=True
            )

    def ends(self, layer: LayerOutcome) -> None:
        task = self._tasks.get(layer.id)
        if self._drawn is not None and task is not None:
            words = _console.shown(f"{layer.id}: {_word(self._words, layer)}")
            self._drawn.update(task, description=words, completed=1, total=1, moves=False)

    def arrives(self, image: Transferred) -> None:
        self._stop()
        _say(_last_line(image))

    def _stop(self) -> None:
        if self._drawn is not None:
            self._drawn.stop()
        self._drawn, self._tasks = None, {}
