"""Who may import whom, who may open what, and what a start may load: the floors of the house, read from the sources."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from syntax import MODULES, PACKAGE, nodes, tree
from tables import assert_each
from vectors import clean_environ

FLOORS = {
    "cli": {
        "cli",
        "check",
        "sources",
        "inventory",
        "registry",
        "archive",
        "update",
        "ci",
        "config",
        "tags",
        "versions",
        "hosts",
        "platforms",
        "reference",
        "repository",
        "schemas",
        "_utils",
        "_grammar",
        "_printable",
        "errors",
    },
    "check": {
        "check",
        "config",
        "sources",
        "hosts",
        "platforms",
        "reference",
        "_utils",
        "_grammar",
        "_printable",
        "errors",
    },
    "sources": {"sources", "platforms", "reference", "_utils", "_grammar", "_printable", "errors"},
    "inventory": {"inventory", "sources", "reference", "errors"},
    "update": {"update", "sources", "versions", "reference", "_utils", "_grammar", "errors"},
    "registry": {
        "registry",
        "archive",
        "hosts",
        "platforms",
        "tags",
        "versions",
        "reference",
        "repository",
        "_utils",
        "_grammar",
        "_printable",
        "errors",
    },
    "archive": {"archive", "platforms", "reference", "_utils", "_grammar", "errors"},
    "ci": {"ci", "tags", "versions", "_utils", "_grammar", "errors"},
    "config": {"config", "_utils", "errors"},
    "tags": {"tags", "versions", "_grammar", "errors"},
    "versions": {"versions", "errors"},
    "reference": {"reference", "_grammar", "_printable", "errors"},
    "repository": {"reference", "errors"},
    "hosts": set(),
    "platforms": {"errors"},
    "schemas": set(),
    "errors": {"_printable"},
    "_grammar": set(),
    "_printable": {"_masking"},
    "_masking": set(),
    "_utils": {"_utils"},
    "__main__": {"cli"},
    "__init__": {"errors", "platforms", "reference", "repository", "tags", "versions"},
}
"""Each room, and the rooms that it may import from; `imgref` itself may be imported by all for its version."""

ONLY = {
    "click": {"cli"},
    "rich": {"cli"},
    "urllib3": {"registry.transport"},
    "socket": {"registry.transport", "registry.hosts"},
    "http": {"registry.transport"},
    "yaml": {"sources"},
    "pathspec": {"check"},
    "tarfile": {"archive"},
    "zstandard": {"archive"},
}
"""What only some modules may import."""

ROOMS = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in MODULES.values()}

READS_ENVIRONMENT = {
    "ci.__init__",
    "config.__init__",
    "check.paths",
    "registry.credentials",
    "registry.hosts",
    "registry.mirrors",
    "cli",
}


def imports(path: Path) -> Iterator[str]:
    """Return every module that a file imports, wherever in it, but for the type checker."""
    unused = {
        id(inner)
        for node in nodes(path)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in nodes(path):
        if id(node) in unused:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    return module.split(".")[0]


def inside(module: str, places: set[str]) -> bool:
    return any(module == place or module.startswith(place + ".") for place in places)


def floors(here: str) -> None:
    """Check that a module imports from its floors only."""
    for target in imports(MODULES[here]):
        parts = target.split(".")
        if parts[0] == "imgref" and len(parts) > 1 and parts[1] in ROOMS:
            assert parts[1] in FLOORS[room(here)], f"{here} imports {target}"
        for name, places in ONLY.items():
            if parts[0] == name:
                assert inside(here, places), f"{here} imports {target}"


def test_a_room_imports_from_its_floors_only() -> None:
    assert_each(MODULES, floors)


def surroundings(here: str) -> None:
    """Check that a module reads the environment, prints and exits only if it may."""
    found = nodes(MODULES[here])
    names = {dotted(node) for node in found if isinstance(node, ast.Attribute)}
    calls = {node.func.id for node in found if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    if not inside(here, READS_ENVIRONMENT):
        assert not names & {"os.environ", "os.getenv", "os.environb"}, here
    if room(here) != "cli":
        assert "print" not in calls, here
        assert not names & {"sys.stdout", "sys.stderr", "sys.stdin", "sys.exit"}, here


def dotted(node: ast.Attribute) -> str:
    """Return an attribute of a name as it is written; of anything else, only its own name."""
    return f"{node.value.id}.{node.attr}" if isinstance(node.value, ast.Name) else f".{node.attr}"


def test_only_some_read_the_environment_print_or_exit() -> None:
    assert_each(MODULES, surroundings)


PUBLISH = {
    "cli.push", "cli.copy", "cli.prune", "cli.index",
    "cli._image_sources", "registry.prune", "cli.tag", "cli.release", "cli.tags", "cli._overwrite",
    "registry.release", "registry.overwrite", "registry.listing", "registry.origins", "registry.transfer",
}  # fmt: skip
"""What decides about releases or writes to a registry, and asks no mirror."""


def test_what_publishes_knows_no_mirrors() -> None:
    asked = {"imgref.registry.lookup", "imgref.registry.mirrors", "imgref.cli._registry.with_lookup"}
    publishing = {name: {*imports(path)} for name, path in MODULES.items() if inside(name, PUBLISH)}
    assert publishing
    assert {name for name, imported in publishing.items() if imported & asked} == set()


WRITES_BYTES = {"cli.inspect": "sys.stdout.buffer.write(manifest.raw)"}
"""Who may go around ``cli._console``: what is written must be the very bytes."""


STREAMS = r"sys\.(?:__)?std(?:out|err)(?:__)?(?:\.buffer)?"


def writes(function: ast.expr) -> bool:
    """Return whether a function that is called writes to a stream."""
    if isinstance(function, ast.Attribute) and function.attr == "write":
        return re.fullmatch(STREAMS, ast.unparse(function.value)) is not None
    if isinstance(function, ast.Attribute):
        return function.attr in {"echo", "secho"} and ast.unparse(function.value) == "click"
    return isinstance(function, ast.Name) and function.id == "print"


def written(here: str) -> None:
    """Check that a module writes to no stream, unless it may."""
    found = [node for node in nodes(MODULES[here]) if isinstance(node, ast.Call) and writes(node.func)]
    calls = [ast.unparse(node) for node in found]
    assert here == "cli._console" or all(call == WRITES_BYTES.get(here) for call in calls), f"{here}: {calls}"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print(1)", True),
        ("sys.stdout.write(a)", True),
        ("sys.__stderr__.buffer.write(a)", True),
        ("click.echo(a)", True),
        ("click.secho(a)", True),
        ("file.write(a)", False),
        ("console.print(a)", False),
        ("a()()", False),
    ],
)
def test_calls_that_write_to_a_stream_are_recognised(code: str, expected: bool) -> None:
    (call,) = [node for node in ast.parse(code).body if isinstance(node, ast.Expr)]
    assert isinstance(call.value, ast.Call)
    assert writes(call.value.func) is expected


def test_only_the_console_writes_to_a_stream() -> None:
    assert_each(MODULES, written)


def module_level_imports(path: Path) -> Iterator[str]:
    for node in tree(path).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {f"imgref.{name}".removesuffix(".__init__"): path for name, path in MODULES.items()}
    graph = {
        name: {target for target in module_level_imports(path) if target in names} - {name}
        for name, path in names.items()
    }
    while graph:
        leaves = {name for name, targets in graph.items() if not targets & graph.keys()}
        assert leaves, f"a circle among {sorted(graph)}"
        graph = {name: targets for name, targets in graph.items() if name not in leaves}


def loaded(code: str) -> set[str]:
    """Return the modules that are loaded after some code, beyond those of an empty start."""
    script = f"import sys; before = set(sys.modules); {code}; print(*(set(sys.modules) - before), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=clean_environ(), check=True
    )
    return set(done.stderr.split())


def test_importing_imgref_loads_itself_and_typing_only() -> None:
    assert {name.split(".")[0] for name in loaded("import imgref")} <= loaded("import typing") | {
        "imgref",
        "typing",
        "__future__",
    }
    assert {name for name in loaded("import imgref") if name.startswith("imgref")} == {"imgref"}


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (
            ("parse", "diamol/golang"),
            {
                "imgref",
                "_grammar",
                "_printable",
                "errors",
                "reference",
                "reference._image_reference",
                "cli",
                "__main__",
                "cli._start",
                "cli.main",
                "cli._console",
                "cli._help",
                "cli.parse",
            },
        ),
        (
            ("--help",),
            {"imgref", "_printable", "errors", "__main__", "cli", "cli._start", "cli.main", "cli._console"},
        ),
    ],
)
def test_a_command_loads_what_it_needs_only(arguments: tuple[str, ...], allowed: set[str]) -> None:
    code = f"import imgref.__main__ as m\ntry: m.main({list(arguments)!r})\nexcept SystemExit: pass\n"
    script = f"import sys\n{code}print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=clean_environ(), check=True
    )
    modules = set(done.stderr.split())
    own = {name.removeprefix("imgref.") for name in modules if name.split(".")[0] == "imgref"}
    assert own <= allowed
    heavy = {
        "rich",
        "urllib3",
        "yaml",
        "tarfile",
        "semver",
        "packaging",
        "pathlib",
        "json",
        "subprocess",
        "dataclasses",
        "tomllib",
    }
    click_needs = loaded("import click.core, click.decorators, click.shell_completion")
    assert not (heavy & modules) - click_needs
    postponed = {"inspect", "ast", "dis", "tokenize", "gettext", "locale", "uuid", "platform"}
    assert not postponed & modules, "click works without these"


def test_a_check_of_a_file_does_not_load_what_it_rarely_needs(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM nginx:1.27.4\n", encoding="utf-8")
    script = """
import sys
from imgref.__main__ import main
try: main(["check", "Dockerfile"])
finally: print("modules", *sys.modules, file=sys.stderr)
"""
    environ = clean_environ(PYTHONPATH=str(PACKAGE.parent))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environ, cwd=tmp_path, check=True
    )
    modules = set(done.stderr.splitlines()[-1].split())
    assert not {"gettext", "locale", "uuid", "platform", "pickle", "textwrap", "yaml", "imgref._masking"} & modules
    assert not [name for name in modules if name.startswith("imgref.sources.yaml.")]
