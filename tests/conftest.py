"""How the tests run: isolated from the developer's settings, without deadlines, with the same examples in CI.

Elsewhere each run tries other examples, so that few are enough. HYPOTHESIS_PROFILE=many tries thousands.
"""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from isolation.environment import IN_CI, isolated_environ, prepare

settings.register_profile("new", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", deadline=None, derandomize=True, max_examples=30)
settings.register_profile("few", deadline=None, derandomize=True, max_examples=20)
settings.register_profile("many", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same" if IN_CI else "new"))

E2E = Path(__file__).parent / "e2e"

# A shell starts what runs in the background with interrupts ignored, and every process started from here would inherit
# that: those whose interrupts are tested must hear them.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the end-to-end tests where none will run: their imports take a second in each process."""
    return True if collection_path == E2E and config.option.markexpr == "not e2e" else None


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let a process that has no tests left take over those of another, since some tests take long."""
    if getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "worksteal"


def pytest_collection_finish() -> None:
    """Spare the garbage collector from visiting thousands of tests each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def isolation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Replace the environment by one in which no setting of the developer, the CI system or the machine is left."""
    world = tmp_path_factory.getbasetemp()
    prepare(world)
    with pytest.MonkeyPatch.context() as patch:
        environ = isolated_environ(os.environ, world)
        for name in set(os.environ) - set(environ):
            patch.delenv(name)
        for name, value in environ.items():
            patch.setenv(name, value)
        patch.setattr(tempfile, "tempdir", environ["TMPDIR"])
        yield


def fail_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skipped test into a failed one: CI installs everything that tests need."""
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"skipped, which CI=true does not allow: {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    outcome = yield
    if IN_CI:
        fail_skipped(outcome.get_result())  # type: ignore[attr-defined]


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    outcome = yield
    if IN_CI:
        fail_skipped(outcome.get_result())  # type: ignore[attr-defined]
