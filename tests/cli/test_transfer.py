"""How a transfer is shown: bars on a terminal, lines elsewhere, objects in JSON, the digest alone with ``--quiet``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cli.test_console import on_terminal
from vectors import ROOT

from imgref.archive.image import Blob
from imgref.archive.manifest import Descriptor
from imgref.cli._transfer import watching
from imgref.reference import parse
from imgref.registry.transfer.progress import LayerOutcome, Status, Transferred, Watcher

Capsys = pytest.CaptureFixture[str]
DIGEST = "sha256:" + "0" * 64
REPOSITORY = parse("r.example/team/app:1")


@dataclass
class Layer(Blob):
    """A layer of which only the label is read."""

    label: str

    def descriptor(self) -> Descriptor:
        raise NotImplementedError

    def chunks(self) -> Iterator[bytes]:
        raise NotImplementedError


def transfer(watcher: Watcher, status: Status = "pushed") -> None:
    """Report a transfer of two layers, of which one moves."""
    first, second = Layer("a" * 12), Layer("b" * 12)
    watcher.begins(REPOSITORY, [first, second])
    watcher.advances(first, 512, 2048)
    watcher.advances(Layer("unknown"), 1, 2)
    first_ends = LayerOutcome(first.label, DIGEST, 2048, status)
    watcher.ends(first_ends)
    watcher.ends(LayerOutcome(second.label, DIGEST, 1, "exists"))
    watcher.ends(LayerOutcome("unknown", DIGEST, 1, "exists"))
    watcher.arrives(Transferred(REPOSITORY, DIGEST, 999, (first_ends,)))


LIVE = """
import os, sys
sys.path.insert(0, {tests!r})
os.environ["TERM"] = {term!r}
from imgref.cli._transfer import watching
from cli.test_transfer import Layer, REPOSITORY, transfer
with watching("text", quiet=False, pulls={pulls}) as live:
    if {whole}:
        transfer(live, "pulled" if {pulls} else "pushed")
    else:
        layers = [Layer("a" * 12), Layer("b" * 12)]
        live.begins(REPOSITORY, layers)
        live.advances(layers[0], 512, 2048)
        live._drawn.refresh()
"""


def shown_live(*, pulls: bool = False, whole: bool = True, term: str = "xterm") -> str:
    """Return what a terminal shows of a transfer, without colours."""
    printed = on_terminal(LIVE.format(tests=str(ROOT / "tests"), pulls=pulls, whole=whole, term=term), 120)
    # Each time that rich draws, it goes to the start of a line and clears it.
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.replace("\r", "\n").replace("\x1b[2K", "\n"))


@pytest.mark.parametrize(("pulls", "word"), [(False, "Pushing"), (True, "Downloading")])
def test_watching_on_a_terminal_draws_a_bar_for_a_layer_that_moves(pulls: bool, word: str) -> None:
    shown = shown_live(pulls=pulls, whole=False)
    moving = [line for line in shown.splitlines() if f"{'a' * 12}: {word}" in line]
    assert any("━" in line and "0.5/2.0 kB" in line for line in moving), shown
    waiting = [line for line in shown.splitlines() if f"{'b' * 12}: Waiting" in line]
    assert waiting
    assert not any("━" in line or "bytes" in line for line in waiting)


@pytest.mark.parametrize(
    ("pulls", "head", "done", "there"),
    [
        (False, "The push refers to repository [r.example/team/app]", "Pushed", "Layer already exists"),
        (True, "1: Pulling from team/app", "Pull complete", "Already exists"),
    ],
)
def test_watching_on_a_terminal_ends_with_the_words_of_docker(pulls: bool, head: str, done: str, there: str) -> None:
    lines = [line.strip() for line in shown_live(pulls=pulls).splitlines() if line.strip()]
    assert head in lines
    assert lines[-3:] == [f"{'a' * 12}: {done}", f"{'b' * 12}: {there}", f"1: digest: {DIGEST} size: 999"]


def test_watching_on_a_dumb_terminal_prints_plain_lines() -> None:
    shown = shown_live(term="dumb")
    assert "Waiting" not in shown
    assert shown.splitlines()[1] == f"{'a' * 12}: Pushed"


def test_watching_off_a_terminal_prints_a_line_for_each_layer_that_ended(capsys: Capsys) -> None:
    with watching("text", quiet=False) as watcher:
        transfer(watcher)
    assert capsys.readouterr().out.splitlines() == [
        "The push refers to repository [r.example/team/app]",
        f"{'a' * 12}: Pushed",
        f"{'b' * 12}: Layer already exists",
        "unknown: Layer already exists",
        f"1: digest: {DIGEST} size: 999",
    ]


def test_watching_as_json_prints_an_object_a_line(capsys: Capsys) -> None:
    with watching("json", quiet=False) as watcher:
        transfer(watcher)
        watcher.ends(LayerOutcome("c", DIGEST, 3, "mounted", parse("r.example/base")))
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    layer = {"repository": "r.example/team/app", "id": "a" * 12, "digest": DIGEST, "size": 2048, "status": "pushed"}
    assert rows[0] == layer
    assert rows[3] == {"reference": "r.example/team/app:1", "digest": DIGEST, "size": 999}
    assert rows[4]["from"] == "r.example/base"


@pytest.mark.parametrize(("style", "expected"), [("text", f"{DIGEST}\n"), ("none", "")])
def test_watching_quietly_prints_the_digest_once_or_nothing(style: str, expected: str, capsys: Capsys) -> None:
    with watching(style, quiet=True) as watcher:
        transfer(watcher)
        transfer(watcher)
    assert capsys.readouterr().out == expected
