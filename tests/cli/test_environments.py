"""Settings that apply in one CI system only."""

from __future__ import annotations

from pathlib import Path

import pytest
from vectors import clean_environ, imgref

SETTINGS = """
[tags]
image = "ghcr.io/acme/app"
sha = true

[tags.environments.gitlab-ci]
image = "registry.example.com/acme/app"
default-branch = "trunk"
sha = false

[tags.environments.local]
image = "localhost:5000/app"
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("environ", "tags"),
    [
        (
            {"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "trunk"},
            ["registry.example.com/acme/app:trunk", "registry.example.com/acme/app:edge"],
        ),
        (
            {"CIRCLECI": "true", "CIRCLE_TAG": "v1.0.0-rc.1", "CIRCLE_SHA1": COMMIT},
            ["ghcr.io/acme/app:1.0.0-rc.1", "ghcr.io/acme/app:sha-0123456"],
        ),
    ],
)
def test_settings_of_the_running_system_override_the_others(
    tmp_path: Path, environ: dict[str, str], tags: list[str]
) -> None:
    (tmp_path / ".imgref.toml").write_text(SETTINGS)
    done = imgref("tags", "--ci", cwd=tmp_path, environ=clean_environ(**environ))
    assert done.stdout.splitlines() == tags
    other = imgref("tags", "--ci", "--image", "acme/app", cwd=tmp_path, environ=clean_environ(**environ))
    assert all(tag.startswith("docker.io/acme/app:") for tag in other.stdout.splitlines())


def test_settings_without_a_ci_system_are_those_of_local(tmp_path: Path) -> None:
    (tmp_path / ".imgref.toml").write_text(SETTINGS)
    assert imgref("tags", "1.0.0-rc.1", cwd=tmp_path).stdout == "localhost:5000/app:1.0.0-rc.1\n"


@pytest.mark.parametrize(
    "settings",
    [
        "[tags.environments.gitlab]\nsha = true\n",
        "[tags.environments]\nlocal = 1\n",
        "[tags.environments.local]\nscheme = 'semver'\n",
        "[tags.environments.jenkins]\nsha = 'yes'\n",
        "[tags]\nenvironments = 1\n",
    ],
)
def test_settings_of_an_environment_that_are_not_known_are_an_error(tmp_path: Path, settings: str) -> None:
    (tmp_path / ".imgref.toml").write_text(settings)
    done = imgref("tags", "1.0.0", cwd=tmp_path)
    assert (done.stdout, done.exit) == ("", 2)
    assert done.stderr.startswith("error: .imgref.toml:")
