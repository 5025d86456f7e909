"""The mutants that are made of a piece of code, and the table that lists the modules."""

from __future__ import annotations

import ast

from mutation.mutants import Finder
from mutation.run import ROOT, equivalent_changes, modules, toml_string
from tables import each


def changes(source: str) -> set[str]:
    return {mutant.change for mutant in Finder(source.encode()).mutants()}


@each(
    ("source", "expected"),
    [
        ("def f(a): return a < 1", {"< -> <=", "1 -> 2", "1 -> 0", "a < 1 -> None"}),
        ("x = a and b", {"and -> or", "a -> True", "b -> True", "x = a and b -> pass"}),
        ("if not a:\n    raise E", {"not a -> (a)", "not a -> (not (not a))", "raise E -> pass"}),
        ("f(a, key=b)", {"f(a, key=b) -> pass", "key=b ->"}),
        ("x: int = a.split(',')", {"',' -> ''"}),
        ("x = [a for a in b if c]", {"c -> True", "c -> (not (c))", "x = [a for a in b if c] -> pass"}),
        ("def f(é): return é+b", {"+ -> -", "é+b -> None"}),
        ('"""Text."""\n__all__ = ["a"]\nimport b', set()),
        ('P = rf"a+{N}*(?!b)"', {"+ -> ?", "* -> ?", "(?! -> (?=", 'P = rf"a+{N}*(?!b)" -> pass'}),
    ],
)
def test_mutants_of_code_are_its_small_changes(source: str, expected: set[str]) -> None:
    assert changes(source) == expected


def test_mutants_of_a_module_compile_and_differ() -> None:
    source = (ROOT / "imgref" / "check" / "rules" / "files.py").read_bytes()
    for mutant in Finder(source).mutants():
        changed = mutant.applied(source)
        assert changed != source
        ast.parse(changed)
        assert source.splitlines()[mutant.line - 1].decode().strip() == mutant.code


def test_equivalent_mutants_have_a_reason() -> None:
    assert all(reason for settings in modules().values() for reason in equivalent_changes(settings).values())


def test_tests_of_modules_exist() -> None:
    for settings in modules().values():
        tests = settings["tests"]
        assert isinstance(tests, list)
        assert all((ROOT / test).exists() for test in tests)


def test_toml_string_of_a_pattern_escapes_it() -> None:
    assert toml_string('a\\."b"') == '"a\\\\.\\"b\\""'
