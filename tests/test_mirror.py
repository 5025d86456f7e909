"""Each module has a test file of its name, or a row that names the test file that covers it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tables import assert_each
from vectors import DATA, ROOT

PACKAGE = ROOT / "imgref"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name not in ("__init__.py", "__main__.py")
}
ELSEWHERE = {
    module: test
    for test, modules in tomllib.loads((DATA / "mirror.toml").read_text(encoding="utf-8")).items()
    for module in modules
}


def own_test(path: Path) -> Path:
    place = path.relative_to(PACKAGE)
    folders = [folder.lstrip("_") for folder in place.parent.parts]
    return ROOT.joinpath("tests", *folders, f"test_{place.stem.lstrip('_')}.py")


def mirrored(module: str) -> None:
    """Check that a module has a test of its name or a row, and not both."""
    assert own_test(MODULES[module]).exists() != (module in ELSEWHERE), f"add {own_test(MODULES[module])}"


def test_module_has_a_test_of_its_name_or_a_row() -> None:
    assert_each(MODULES, mirrored)


def test_rows_name_modules_and_tests_that_exist() -> None:
    assert ELSEWHERE.keys() - MODULES.keys() == set()
    assert {test for test in ELSEWHERE.values() if not (ROOT / test).exists()} == set()
