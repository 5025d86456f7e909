"""``--existing git`` and ``--ci`` in real repositories, full, shallow, and without a remote that answers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from isolation.environment import require
from vectors import clean_environ, imgref


def git(where: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always")
    subprocess.run(
        [require("git"), *identity, *arguments], cwd=where, check=True, capture_output=True, env=clean_environ()
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with releases on two lines."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    for name in ("v1.9.6", "v2.0.0", "v2.1.0-rc.1", "lib-v9.0.0"):
        git(origin, "commit", "-q", "--allow-empty", "-m", name)
        git(origin, "tag", name)
    return origin


def test_a_full_clone_knows_its_tags(repository: Path) -> None:
    done = imgref("tags", "v1.9.7", "--existing", "git", cwd=repository)
    assert done == ("1.9.7\n1.9\n1\n", "existing: git, 3 versions\nheld: latest (v2.0.0 is newer)\n", 0)
    nested = repository / "a" / "b"
    nested.mkdir(parents=True)
    assert imgref("tags", "v1.9.7", "--existing", "git", cwd=nested) == done


def test_columns_in_gits_settings_change_nothing(repository: Path) -> None:
    git(repository, "config", "column.ui", "always")
    assert imgref("tags", "v1.9.7", "--existing", "git", cwd=repository).stdout == "1.9.7\n1.9\n1\n"


def test_a_shallow_clone_asks_its_remote(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    done = imgref("tags", "v1.9.7", "--existing", "git", cwd=tmp_path / "shallow")
    assert done.stdout == "1.9.7\n1.9\n1\n"
    assert "this clone is shallow, so its remote 'origin' was asked" in done.stderr
    assert done.exit == 0


def test_shallow_clone_without_its_remote_suggests_a_fix(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    shutil.rmtree(repository)
    done = imgref("tags", "v1.9.7", "--existing", "git", cwd=tmp_path / "shallow")
    assert (done.stdout, done.exit) == ("", 2)
    for remedy in ("git fetch --unshallow --tags", "fetch-depth: 0", "GIT_DEPTH: 0"):
        assert remedy in done.stderr
    git(tmp_path / "shallow", "remote", "remove", "origin")
    assert "no remote" in imgref("tags", "v1.9.7", "--existing", "git", cwd=tmp_path / "shallow").stderr


def clone_with_one_tag(origin: Path, where: Path, tag: str, *options: str) -> Path:
    """Clone as a CI job does that fetches one tag and no others."""
    git(where.parent, "clone", "-q", "--no-tags", *options, origin.as_uri(), where.name)
    git(where, "config", "--unset", "remote.origin.tagOpt")
    git(where, "fetch", "-q", "--no-tags", "origin", f"refs/tags/{tag}:refs/tags/{tag}")
    return where


def test_existing_git_repository_without_remote_and_tags_is_complete(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    done = imgref("tags", "1.0.0", "--existing", "git", cwd=tmp_path)
    assert done == ("1.0.0\n1.0\n1\nlatest\n", "existing: git, 0 versions\n", 0)
    git(tmp_path, "config", "remote.origin.prune", "true")
    assert imgref("tags", "1.0.0", "--existing", "git", cwd=tmp_path) == done


def test_existing_git_remote_without_tags_is_known_to_be_empty(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "empty")
    git(tmp_path, "clone", "-q", (tmp_path / "empty").as_uri(), "clone")
    done = imgref("tags", "1.0.0", "--existing", "git", cwd=tmp_path / "clone")
    assert (done.stdout, done.exit) == ("1.0.0\n1.0\n1\nlatest\n", 0)
    assert "its remote 'origin' was asked" in done.stderr


@pytest.mark.parametrize(
    ("tag", "arguments"),
    [
        ("v1.9.6", ("v1.9.6",)), ("v1.9.6", ("1.9.6",)), ("v1.9.6", ("v1.9.6+b2",)),
        ("v1.9.6", ("v1.9.6", "--v", "keep")),
        ("lib-v1.0.0", ("lib-v1.0.0", "--prefix", "lib-")), ("lib-v1.0.0", ("lib-1.0.0", "--prefix", "lib-")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("options", [(), ("-o", "upstream"), ("--filter=blob:none",)])
def test_existing_git_clone_with_only_the_released_tag_asks_its_remote(
    repository: Path, tmp_path: Path, tag: str, arguments: tuple[str, ...], options: tuple[str, ...]
) -> None:
    git(repository, "tag", "lib-v1.0.0")
    clone = clone_with_one_tag(repository, tmp_path / "clone", tag, *(() if "-o" in options else options))
    if "-o" in options:
        git(clone, "remote", "rename", "origin", "upstream")
    done = imgref("tags", *arguments, "--existing", "git", cwd=clone)
    assert "latest" not in done.stdout.split()
    assert "this clone has no tag but that of the release, so its remote" in done.stderr
    assert done.exit == 0


@pytest.mark.parametrize("remote", ["gone", "absent"])
def test_existing_git_clone_with_only_the_released_tag_and_no_answer_is_refused(
    repository: Path, tmp_path: Path, remote: str
) -> None:
    clone = clone_with_one_tag(repository, tmp_path / "clone", "v1.9.6")
    if remote == "gone":
        shutil.rmtree(repository)
    else:
        git(clone, "remote", "add", "other", (tmp_path / "absent").as_uri())
    done = imgref("tags", "v1.9.6", "--existing", "git", cwd=clone)
    assert (done.stdout, done.exit) == ("", 2)
    for hint in ("git fetch --tags", "fetch-depth: 0", "GIT_DEPTH: 0", "cannot be asked"):
        assert hint in done.stderr


@pytest.mark.parametrize("options", [("--no-tags",), ("--single-branch", "-b", "old"), ("--bare", "--no-tags")])
def test_existing_git_clone_that_does_not_fetch_all_tags_asks_its_remote(
    repository: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    git(repository, "branch", "old", "v1.9.6")
    git(tmp_path, "clone", "-q", *options, repository.as_uri(), "clone")
    clone = tmp_path / "clone"
    git(clone, "fetch", "-q", "--no-tags", "origin", "refs/tags/v1.9.6:refs/tags/v1.9.6")
    git(clone, "tag", "v1.9.7", "v1.9.6")
    done = imgref("tags", "v1.9.7", "--existing", "git", cwd=clone)
    assert done.stdout == "1.9.7\n1.9\n1\n"
    assert "asked for its tags" in done.stderr


def test_existing_git_tags_of_the_clone_and_of_every_remote_count(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "mirror")
    git(tmp_path, "clone", "-q", "--depth", "1", (tmp_path / "origin").as_uri(), "clone")
    git(tmp_path / "clone", "remote", "add", "a-mirror", (tmp_path / "mirror").as_uri())
    git(tmp_path / "clone", "tag", "v1.9.8")
    done = imgref("tags", "v1.9.7", "--existing", "git", cwd=tmp_path / "clone")
    assert done.stdout == "1.9.7\n"
    assert "'origin'" in done.stderr
    assert "'a-mirror'" in done.stderr


@pytest.mark.parametrize("options", [(), ("--mirror",), ("--bare",)])
def test_existing_git_complete_clone_asks_no_remote(repository: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    git(tmp_path, "clone", "-q", *options, repository.as_uri(), "clone")
    git(tmp_path / "clone", "worktree", "add", "-q", "--detach", str(tmp_path / "tree"), "v1.9.6")
    shutil.rmtree(repository)
    for where in (tmp_path / "clone", tmp_path / "tree"):
        done = imgref("tags", "v1.9.7", "--existing", "git", cwd=where)
        assert done == ("1.9.7\n1.9\n1\n", "existing: git, 3 versions\nheld: latest (v2.0.0 is newer)\n", 0)


def test_the_prefix_is_asked_of_git_tags(repository: Path) -> None:
    done = imgref("tags", "lib-v1.0.0", "--prefix", "lib-", "--existing", "git", cwd=repository)
    assert done.stdout == "1.0.0\n1.0\n1\n"
    done = imgref("tags", "app-v1.0.0", "--prefix", "app-", "--existing", "git", cwd=repository)
    assert "warning: git has 4 names, but no version on the line of this release" in done.stderr


def test_the_default_branch_of_the_remote_gets_edge(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", repository.as_uri(), "clone")
    environ = clean_environ(CIRCLECI="true", CIRCLE_BRANCH="main")
    done = imgref("tags", "--ci", cwd=tmp_path / "clone", environ=environ)
    assert done == ("main\nedge\n", "", 0)
    elsewhere = imgref("tags", "--ci", cwd=tmp_path, environ=environ)
    assert elsewhere == ("main\n", "no edge: no default branch is known (--default-branch names it)\n", 0)


@pytest.mark.parametrize("order", [("v1.9.7", "v2.0.1"), ("v2.0.1", "v1.9.7")])
def test_two_lines_released_in_either_order_end_with_the_same_tags(repository: Path, order: tuple[str, str]) -> None:
    named: dict[str, str] = {}
    for version in order:
        git(repository, "tag", version)
        environ = clean_environ(GITHUB_ACTIONS="true", GITHUB_REF=f"refs/tags/{version}")
        done = imgref("tags", "--ci", "--existing", "git", cwd=repository, environ=environ)
        named.update(dict.fromkeys(done.stdout.split(), version))
    assert named == {
        "1.9.7": "v1.9.7", "1.9": "v1.9.7", "1": "v1.9.7", "2.0.1": "v2.0.1", "2.0": "v2.0.1",
        "2": "v2.0.1", "latest": "v2.0.1",
    }  # fmt: skip


def test_git_reads_the_checkout_and_not_the_environment(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", repository.as_uri(), "clone")
    clone, environ = tmp_path / "clone", clean_environ(GITLAB_CI="true", CI_COMMIT_TAG="v9.9.9")
    assert imgref("tags", "--git", cwd=clone, environ=environ) == ("main\nedge\n", "", 0)
    git(clone, "checkout", "-q", "v2.0.0")
    done = imgref("tags", "--git", "--existing", "git", cwd=clone, environ=environ)
    assert done == ("2.0.0\n2.0\n2\nlatest\n", "existing: git, 3 versions\n", 0)
    git(clone, "tag", "other")
    done = imgref("tags", "--git", cwd=clone)
    assert done == ("", "error: several git tags are on the commit (other, v2.0.0); name one with --ref\n", 2)
    git(clone, "checkout", "-q", "-b", "v2")
    git(clone, "commit", "-q", "--allow-empty", "-m", "x")
    assert imgref("tags", "--git", cwd=clone).stdout == "branch-v2\n"
    git(clone, "checkout", "-q", "--detach")
    done = imgref("tags", "--git", cwd=clone)
    assert (done.stdout, done.exit) == ("", 2)
    assert "the checkout is on no branch, and no git tag is on the commit" in done.stderr
