"""The build that the CI environment describes: its system, the git tag, branch or pull request, and its tags.

The systems are a table of data, :mod:`imgref.ci._systems`. Nothing is guessed: what no variable contains is not known.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from imgref.ci._build import Build, build_of
from imgref.ci._manual import Checkout, adjusted_build, manual_build
from imgref.ci._read import is_running, read_facts
from imgref.ci._source_url import source_url
from imgref.ci._system import System
from imgref.ci._systems import SYSTEMS
from imgref.ci._tag_rules import BuildPolicy, TagRule, matched_build, matched_version, plan_build
from imgref.ci._tags import BuildTags, tags_of_build
from imgref.errors import UnknownBuild

__all__ = [
    "Build",
    "BuildPolicy",
    "BuildTags",
    "Checkout",
    "TagRule",
    "adjusted_build",
    "detect",
    "manual_build",
    "matched_build",
    "matched_version",
    "plan_build",
    "running_system",
    "source_url",
    "system_names",
    "tags_of_build",
]


def detect(environ: Mapping[str, str] | None = None, *, default_branch: str | None = None) -> Build:
    """Read the build from the environment of the CI system.

    Args:
        environ: the environment; by default that of this process.
        default_branch: the default branch, in case the system does not name it. Only CircleCI's variables need it, to
            distinguish a push to it from a pull request.

    Raises:
        UnknownBuild: no system was detected, its event is not supported, or its variables leave open what is built.

    >>> detect({"GITLAB_CI": "true", "CI_COMMIT_TAG": "v2.1.3"}).tag
    'v2.1.3'
    """
    environ = os.environ if environ is None else environ
    system = next((system for system in SYSTEMS if is_running(system, environ)), None)
    if system is None:
        markers = (f"{name} ({_marker(system)})" for system in SYSTEMS if (name := system.name))
        raise UnknownBuild(f"no CI system was detected; looked for {', '.join(markers)}")
    return build_of(read_facts(system, environ, default_branch), system.name)


def running_system(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the name of the CI system that runs this, or None.

    >>> running_system({"GITLAB_CI": "true"})
    'GitLab CI'
    """
    environ = os.environ if environ is None else environ
    return next((system.name for system in SYSTEMS if is_running(system, environ)), None)


def system_names() -> tuple[str, ...]:
    """Return the names of the CI systems that are known."""
    return tuple(system.name for system in SYSTEMS)


def _marker(system: System) -> str:
    return " or ".join(variable if value is None else f"{variable}={value}" for variable, value in system.markers)
