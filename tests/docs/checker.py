"""Checks a page of the documentation, given as text: every block by its kind, and every name that imgref defines.

What a page may name besides, since it belongs to other programs, is in tests/docs/known.toml.
"""

from __future__ import annotations

import difflib
import doctest
import io
import json
import re
import shlex
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, NamedTuple

import yaml
from architecture import diagram
from docs.commands import ROOT, all_choices, all_options, command_problems, imgref_problems, shell_problems
from docs.python_examples import program_problems

import imgref
from imgref.check import settings
from imgref.check.rules import RULES
from imgref.check.settings import read_policy
from imgref.cli import _plan, _update_policy
from imgref.cli._update_policy import read_update_policy
from imgref.cli.main import COMMANDS
from imgref.config import load_config
from imgref.errors import ImgrefError
from imgref.sources.dockerfile.reader import read_dockerfile
from imgref.tags import CHOICES

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)[^)]*\)")
SPAN = re.compile(r"`([^`\n]+)`")
KNOWN: dict[str, Any] = tomllib.loads((Path(__file__).parent / "known.toml").read_text(encoding="utf-8"))
SCRIPT_KEYS = ("run", "script", "before_script", "after_script", "command", "commands")


class Block(NamedTuple):
    """A fenced block."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [Block(found[1], found[2], page.count("\n", 0, found.start()) + 1) for found in FENCE.finditer(page)]


def problems(name: str, page: str) -> list[str]:
    """Return everything that is wrong with a page, each as ``name:line: reason``.

    Args:
        name: such as ``docs/tags.md``.
        page: its text.
    """
    found = []
    for block in blocks(page):
        if (name, block.language) in EXEMPT or (name, block.text.split("\n")[0]) in EXEMPT:
            continue
        found += [f"{name}:{block.line}: {reason}" for reason in block_problems(block.language, block.text)]
    for number, line in enumerate(page.splitlines(), 1):
        found += [f"{name}:{number}: {reason}" for reason in name_problems(line)]
    prose = FENCE.sub(lambda block: "\n" * block[0].count("\n"), page)
    for span in SPAN.finditer(prose):
        place = f"{name}:{prose.count(chr(10), 0, span.start()) + 1}"
        found += [f"{place}: {reason}" for reason in cached_span_problems(span[1])]
    for link in LINK.finditer(prose):
        if not (ROOT / name).parent.joinpath(link[1]).exists():
            found.append(f"{name}:{prose.count(chr(10), 0, link.start()) + 1}: link to {link[1]}, which does not exist")
    return found


@cache
def block_problems(language: str, text: str) -> tuple[str, ...]:
    """Return what is wrong with a block; the pages are checked many times, each with another break."""
    check = CHECKS.get(language)
    return (f"no check for blocks of the kind {language!r}",) if check is None else tuple(check(text))


def name_problems(line: str) -> Iterator[str]:
    """Report options, rule codes and environment variables that do not exist, in text and in blocks alike."""
    for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", line):
        if option not in all_options() and option not in KNOWN["options"]:
            yield f"no option {option}"
    for code in re.findall(r"\bIMG\w*\d\w*", line):
        if not any(rule.startswith(code) for rule in RULES):
            yield f"no rule {code}"
    for variable in re.findall(r"(?<![\w-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w-])", line):
        if variable not in variables() and variable not in KNOWN["variables"]:
            yield f"nothing reads the environment variable {variable}"


@cache
def cached_span_problems(code: str) -> tuple[str, ...]:
    """Return what is wrong with code in a sentence."""
    return tuple(span_problems(code))


def span_problems(code: str) -> Iterator[str]:
    """Report what is wrong with code in a sentence: a command, an option, a setting, or a name."""
    if code.startswith("imgref ") or " imgref " in code:
        command = code[code.index("imgref ") :].split("|")[0].replace("...", "")
        yield from imgref_problems(shlex.split(command)[1:], whole=False)
    elif code.startswith("pip "):
        yield from command_problems(shlex.split(code))
    elif code.startswith("--") and " " in code:
        yield from option_problems(shlex.split(code))
    elif found := re.fullmatch(r"([\w-]+) = (.+)", code):
        yield from setting_problems(found[1], found[2])
    elif re.fullmatch(r"imgref(?:\.\w+)+", code):
        yield from dotted_problems(code)
    elif re.fullmatch(r"[A-Z][a-z]+[A-Z]\w+", code):
        if code not in names() and code not in KNOWN["words"]:
            yield f"no class or function {code} in imgref"
    elif re.fullmatch(r"[A-Za-z_][\w-]{2,}(?:\(\))?", code):
        yield from word_problems(code.removesuffix("()"))


def word_problems(word: str) -> Iterator[str]:
    """Report a word that is nearly, but not quite, one that imgref knows."""
    if word in words() or word in KNOWN["words"]:
        return
    for near in difflib.get_close_matches(word, words(), n=1, cutoff=0.8):
        yield f"{word!r} looks like {near!r}; if it is meant, add it to tests/docs/known.toml"


def option_problems(words_: list[str]) -> Iterator[str]:
    """Report a value that no command accepts for an option that has a few values."""
    option, value = words_[0], words_[1]
    holders = [
        name for name in COMMANDS if not any("o such option" in each for each in imgref_problems([name, option]))
    ]
    if value.isupper() or not holders or option in KNOWN["options"]:
        return
    accepted = [
        name for name in holders if not any("is not one of" in each for each in imgref_problems([name, option, value]))
    ]
    if not accepted:
        yield f"{option} does not accept {value!r}"


def setting_problems(key: str, value: str) -> Iterator[str]:
    """Report an assignment whose key no settings file has, or whose value it refuses."""
    if key in KNOWN["settings"]:
        return
    if key == "extends":
        section = ""
    elif key in settings._KINDS:
        section = "[check]\n"
    elif key in {*_update_policy._KINDS, *_update_policy._IMAGE_KINDS}:
        section = "[update]\n"
    else:
        section = "[tags]\n"
    yield from settings_problems(f"{section}{key} = {value}\n")


def settings_problems(text: str) -> Iterator[str]:
    """Report what is wrong with a settings file."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory, "project")
        folder.mkdir()
        Path(directory, "policy.toml").touch()
        (folder / ".imgref.toml").write_text(text, encoding="utf-8")
        try:
            config = load_config(folder / ".imgref.toml")
            read_policy(config)
            read_update_policy(config)
            settings = config.section("tags", _plan.KINDS)
        except ImgrefError as error:
            yield str(error).removeprefix(directory)
            return
    for key, words_ in CHOICES.items():
        if key in settings and settings[key].value not in words_:
            yield f"{key} is not one of {', '.join(words_)}"


def toml_problems(text: str) -> Iterator[str]:
    yield from settings_problems(text)


def json_problems(text: str) -> Iterator[str]:
    try:
        json.loads(text)
    except ValueError as error:
        yield f"not valid JSON: {error}"


def dockerfile_problems(text: str) -> Iterator[str]:
    reading = read_dockerfile(text)
    yield from (problem.message for problem in reading.problems)
    yield from (f"{one.text!r}: {one.reason}" for one in reading.occurrences if one.reason)


def console_problems(text: str) -> Iterator[str]:
    for command in re.findall(r"^\$ (.+\n(?:> .*\n)*)", text, re.MULTILINE):
        yield from shell_problems(re.sub(r"^> ", "", command, flags=re.MULTILINE))


def groovy_problems(text: str) -> Iterator[str]:
    scripts = re.findall(r"\bsh '''\n(.*?)'''", text, re.DOTALL)
    if not scripts:
        yield "no sh step"
    for script in scripts:
        yield from shell_problems(script)


def yaml_problems(text: str) -> Iterator[str]:
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError as error:
        yield f"not valid YAML: {error}"
        return
    if not isinstance(read, dict | list):
        yield "YAML without any key"
    yield from _node_problems(read)


def _node_problems(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _node_problems(item)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        # YAML 1.1 reads the key `on` of GitHub's workflows as true.
        if key is not True and key not in KNOWN["yaml-keys"]:
            yield f"the YAML key {key!r} is not in tests/docs/known.toml"
        if key in SCRIPT_KEYS:
            for script in value if isinstance(value, list) else [value]:
                yield from shell_problems(str(script).replace("$$", "$") if key == "command" else str(script))
        else:
            yield from _node_problems(value)
    yield from _hook_problems(node)


def _hook_problems(node: dict[Any, Any]) -> Iterator[str]:
    if str(node.get("repo", "")).endswith("/imgref"):
        hooks = {row["id"] for row in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
        yield from (f"no hook {hook.get('id')!r}" for hook in node.get("hooks", []) if hook.get("id") not in hooks)


def python_problems(text: str) -> Iterator[str]:
    if ">>> " not in text:
        yield from program_problems(text)
        return
    test = doctest.DocTestParser().get_doctest(text, {}, "example", None, 0)
    with redirect_stdout(io.StringIO()) as printed:
        result = doctest.DocTestRunner().run(test)
    if result.failed or not result.attempted:
        yield printed.getvalue() or "no example"


def text_problems(text: str) -> Iterator[str]:
    """Check a block that is a synopsis, a Python program, JSON, a hosts file or a command for the shell."""
    first = text.split(maxsplit=1)[0]
    if first == "imgref":
        for line in text.splitlines():
            yield from imgref_problems(shlex.split(re.sub(r"\.\.\.|[\[\]]", "", line))[1:], whole=False)
    elif first in {"from", "import"}:
        yield from program_problems(text)
    elif first.startswith("{"):
        yield from json_problems(text)
    elif first == "pip":
        yield from shell_problems(text)
    elif not re.fullmatch(r"[\d.]+ [\w.]+\n", text):
        yield "a text block of no known kind"


def dotted_problems(name: str) -> Iterator[str]:
    """Report a dotted name that leads nowhere."""
    parts = name.split(".")
    value: object = imgref
    for end, part in enumerate(parts[1:], 2):
        try:
            value = getattr(value, part) if hasattr(value, part) else import_module(".".join(parts[:end]))
        except ImportError:
            yield f"{name} does not exist"
            return


def mermaid_problems(text: str) -> Iterator[str]:
    """Report a diagram that is not the one of the imports in the code."""
    if text != diagram():
        yield "not the imports of the code; run: PYTHONPATH=tests python tests/architecture.py --write"


CHECKS: dict[str, Callable[[str], Iterator[str]]] = {
    "sh": shell_problems,
    "console": console_problems,
    "groovy": groovy_problems,
    "python": python_problems,
    "py": python_problems,
    "yaml": yaml_problems,
    "toml": toml_problems,
    "json": json_problems,
    "dockerfile": dockerfile_problems,
    "mermaid": mermaid_problems,
    "text": text_problems,
}

EXEMPT = {
    ("docs/commands.md", "text"): "generated from --help; tests/test_docs.py compares the whole page",
    ("docs/inventory.md", "text"): "a transcript of its own; tests/cli/images/test_images.py runs it",
    ("docs/rules.md", "dockerfile"): "bad on purpose; tests/check/test_rules.py checks each example with its rule",
    ("docs/rules.md", "yaml"): "bad on purpose; tests/check/test_rules.py checks each example with its rule",
    ("docs/policy.md", "[build-system]"): "the metadata of a Python package; tests/docs/test_policy_page.py writes it",
    (
        "docs/policy.md",
        'extends = "package:acme_policy/imgref.toml"',
    ): "needs a package; tests/docs/test_policy_page.py",
    ("docs/mirror.md", "docker.io/library/nginx:1.27.3"): "a list; tests/docs/test_reference_pages.py reads it",
    ("docs/references.md", "registry.local:5001/gallery/ui:v1@sha256:9f86d0…"): "a drawing of the parts of a reference",
}
"""Blocks that are not checked here, by page and kind or by page and first line, each with the reason."""


@cache
def variables() -> set[str]:
    """Return the names of environment variables, and of other constants, in the code."""
    found: set[str] = set()
    for path in (ROOT / "imgref").rglob("*.py"):
        found |= set(
            re.findall(r"[\"'\[ (,`]([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)[\"'\])=,`]", path.read_text(encoding="utf-8"))
        )
    return found


@cache
def names() -> set[str]:
    """Return the public names of all modules."""
    found: set[str] = set()
    for module in walk_packages(imgref.__path__, "imgref."):
        if not module.name.endswith("__main__"):
            found |= set(getattr(import_module(module.name), "__all__", ()))
    return found


@cache
def words() -> set[str]:
    """Return the words that imgref gives a meaning: commands, values of options, keys of settings, names."""
    updates = {*_update_policy._KINDS, *_update_policy._IMAGE_KINDS}
    kinds = {*_plan.KINDS, *settings._KINDS, *settings._EXEMPTION_KINDS, *updates}
    rules = {rule.name for rule in RULES.values()}
    return {*COMMANDS, *all_choices(), *kinds, *rules, *names(), *variables(), "extends", "imgref-check"}
