"""Runs the tests with hostile settings: ``python tests/isolation/hostile.py [PYTEST ARGUMENT...]``.

The project is copied into a git repository of its own, below a directory with an ``.imgref.toml``, and its tests run
with a home, an environment and git settings of which each would change results if it reached imgref, git or a
registry client. Without arguments, the whole quick suite runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("imgref", "tests", "docs", "README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", ".pre-commit-hooks.yaml")

GIT_SETTINGS = """\
[user]
    useConfigOnly = true
[commit]
    gpgSign = true
[tag]
    gpgSign = true
    forceSignAnnotated = true
[gpg]
    program = /nonexistent/gpg
[init]
    defaultBranch = elsewhere
    templateDir = {home}/template
[core]
    hooksPath = {home}/hooks
    excludesFile = {home}/ignored
    quotePath = true
[color]
    ui = always
[column]
    ui = always
[protocol]
    allow = never
[url "ssh://nowhere.invalid/"]
    insteadOf = file://
[safe]
    directory = /nonexistent
"""

SETTINGS = """\
[tags]
scheme = "numeric"
suffix = ["", "hostile"]
image = "hostile.example/app"
[check]
select = ["IMG9"]
exclude = ["**"]
"""

PROXY = "http://hostile:s3cret@127.0.0.1:9"


def write_home(home: Path) -> None:
    """Write the settings of git, Docker, containers' tools and imgref."""
    auth = json.dumps({"auths": {"registry.example": {"auth": "%"}}, "credsStore": "hostile", "proxies": {"x": "y"}})
    files = {
        ".gitconfig": GIT_SETTINGS.format(home=home),
        "ignored": "*\n",
        "hooks/pre-commit": "#!/bin/sh\nexit 1\n",
        "hooks/post-checkout": "#!/bin/sh\nexit 1\n",
        "template/HEAD": "broken\n",
        ".docker/config.json": auth,
        ".config/containers/auth.json": auth,
        ".config/containers/registries.conf": "[[registry]]\nlocation = 'registry.example'\ninsecure = true\n",
        ".config/imgref/config.toml": "insecure-registries = ['registry.example', 'docker.io']\n",
        ".config/git/ignore": "*\n",
    }
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for hook in (home / "hooks").iterdir():
        hook.chmod(0o755)


def hostile_environ(home: Path) -> dict[str, str]:
    """Return an environment in which every variable that imgref or git reads has a value that changes results."""
    named = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / "hooks" / "pre-commit",
        "XDG_DATA_HOME": home,
        "XDG_RUNTIME_DIR": home / ".config",
        "DOCKER_CONFIG": home / ".docker",
        "REGISTRY_AUTH_FILE": home / ".docker" / "config.json",
        "CONTAINERS_REGISTRIES_CONF": home / ".config" / "containers" / "registries.conf",
        "SSL_CERT_FILE": home / "ignored",
        "SSL_CERT_DIR": home,
        "GITHUB_OUTPUT": home / "nowhere" / "output",
        "GITHUB_EVENT_PATH": home / "ignored",
        "GIT_CONFIG_GLOBAL": home / ".gitconfig",
        "GIT_DIR": home / "template",
        "GIT_TEMPLATE_DIR": home / "template",
        "GIT_INDEX_FILE": home / "ignored",
    }
    plain = {
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), PROXY),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
        **dict.fromkeys(("GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "GITLAB_CI", "CIRCLECI"), "true"),
        **dict.fromkeys(("BUILDKITE", "TF_BUILD", "DRONE", "TRAVIS"), "true"),
        "JENKINS_URL": "http://127.0.0.1:9/", "BITBUCKET_BUILD_NUMBER": "1", "CI": "woodpecker",
        "GITHUB_REF": "refs/tags/v9.9.9", "GITHUB_REF_NAME": "v9.9.9", "GITHUB_EVENT_NAME": "push",
        "CI_COMMIT_TAG": "v9.9.9", "CI_COMMIT_BRANCH": "hostile", "CI_COMMIT_SHA": "0" * 40, "TAG_NAME": "v9.9.9",
        "IMGREF_REGISTRY": "registry.example", "IMGREF_USERNAME": "hostile", "IMGREF_PASSWORD": "s3cret",
        "IMGREF_INSECURE_REGISTRIES": "registry.example,docker.io", "IMAGE": "hostile", "VERSION": "hostile",
        "DOCKER_HOST": "tcp://127.0.0.1:9", "SOURCE_DATE_EPOCH": "1", "TERM": "dumb", "COLUMNS": "20",
        "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "GIT_AUTHOR_DATE": "never", "GIT_TERMINAL_PROMPT": "1",
    }  # fmt: skip
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {**kept, **plain, **{name: str(value) for name, value in named.items()}}


def run(world: Path, arguments: list[str]) -> int:
    """Copy the project into ``world`` and run its tests there; returns pytest's exit code."""
    clone, home = world / "above" / "clone", world / "home"
    for part in PARTS:
        source, target = ROOT / part, clone / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, target)
    (clone / ".git").mkdir()
    for directory in (world, clone.parent):
        (directory / ".imgref.toml").write_text(SETTINGS, encoding="utf-8")
    write_home(home)
    environ = {**hostile_environ(home), "PYTHONPATH": str(clone), "TMPDIR": str(world), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(arguments or ["-m", "not e2e"])]
    return subprocess.run(command, cwd=clone, env=environ, check=False).returncode


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="imgref-hostile-") as directory:
        sys.exit(run(Path(directory), sys.argv[1:]))
