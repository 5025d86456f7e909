from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref import ImgrefError, parse
from imgref.check.patterns import Glob, ImagePattern, PathPatterns, PatternError, _spec
from imgref.hosts import HostPattern


@each(
    ("pattern", "matching", "other"),
    [
        ("official", ["nginx", "docker.io/nginx:1", "index.docker.io/library/nginx"], ["bitnami/nginx", "ghcr.io/a/b"]),
        ("gcr.io", ["gcr.io/a/b", "GCR.io/a"], ["evilgcr.io/a/b", "eu.gcr.io/a", "gcr.io:443/a", "gcr.io.evil.com/a"]),
        ("gcr.io/*", ["gcr.io/a"], ["gcr.io/a/b", "evilgcr.io/a"]),
        ("gcr.io/**", ["gcr.io/a", "gcr.io/a/b/c"], ["eu.gcr.io/a"]),
        ("ghcr.io/acme/*", ["ghcr.io/acme/app@sha256:" + 64 * "0"], ["ghcr.io/acme/a/b", "ghcr.io/acmeevil/app"]),
        ("ghcr.io/acme/**", ["ghcr.io/acme/a/b"], ["ghcr.io/acme", "ghcr.io/acme2/a"]),
        ("ghcr.io/acme/**/base", ["ghcr.io/acme/base", "ghcr.io/acme/a/b/base"], ["ghcr.io/acme/xbase"]),
        ("ghcr.io/acme/app-*", ["ghcr.io/acme/app-x"], ["ghcr.io/acme/app-x/y", "ghcr.io/acme/app"]),
        ("docker.io/bitnami/*", ["bitnami/redis:7"], ["redis", "registry.local:5001/bitnami/redis"]),
        ("bitnami/*", ["docker.io/bitnami/redis"], ["quay.io/bitnami/redis"]),
        ("nginx", ["nginx:1", "docker.io/library/nginx"], ["nginx/nginx", "ghcr.io/nginx"]),
        ("docker.io/busybox", ["busybox"], ["docker.io/x/busybox"]),
        ("docker.io/*", ["busybox"], ["bitnami/redis"]),
        ("docker.io/**", ["busybox", "bitnami/redis"], ["quay.io/x"]),
        ("registry.local:5001", ["registry.local:5001/x/y"], ["registry.local/x", "registry.local:5002/x"]),
        ("registry.local:*/**", ["registry.local:5001/x"], ["registry.local/x"]),
        ("*.example.com/**", ["a.b.example.com/x"], ["example.com/x", "a.example.com.evil.org/x"]),
        ("*/golden/*", ["a.io/golden/x", "localhost/golden/x", "golden/x"], ["a.io/x/golden/y"]),
        ("**", ["nginx", "a.io/b/c/d"], []),
        ("*", ["nginx", "a.io/b/c/d"], []),
        ("localhost", ["localhost/a/b"], ["localhost:5000/a"]),
        ("[::1]:5000/**", ["[::1]:5000/a"], ["[::2]:5000/a"]),
    ],
)
def test_images(pattern: str, matching: list[str], other: list[str]) -> None:
    compiled = ImagePattern(pattern)
    assert [text for text in matching if not compiled.matches(parse(text))] == []
    assert [text for text in other if compiled.matches(parse(text))] == []


@each(
    ("pattern", "why"),
    [
        ("", "it is empty"),
        (" a/b", "spaces around"),
        ("ghcr.io/Acme/*", "no uppercase letters"),
        ("ghcr.io/acme/app:1", "has no tag or digest"),
        ("nginx:1.27", "has no tag or digest"),
        ("nginx@sha256:0", "has no tag or digest"),
        ("https://ghcr.io/acme/*", "remove 'https://'"),
        ("gh_cr.io/acme/*", "'gh_cr.io' is not a registry"),
        ("ghcr.io/acme/a?", "with * and ** as wildcards"),
        ("ghcr.io//acme", "with * and ** as wildcards"),
        ("ghcr.io/", "with * and ** as wildcards"),
    ],
)
def test_patterns_of_no_image(pattern: str, why: str) -> None:
    with pytest.raises(PatternError, match=re.escape(why)):
        ImagePattern(pattern)


@each(
    ("pattern", "matching", "other"),
    [
        ("vendor", ["vendor/a", "a/vendor/b/c", "vendor"], ["vendors/a", "a/xvendor"]),
        ("vendor/", ["vendor/a", "a/vendor/b"], ["vendors"]),
        ("vendor/**", ["vendor/a", "vendor/a/b"], ["a/vendor/b", "vendor"]),
        ("/vendor", ["vendor/a"], ["a/vendor"]),
        ("./vendor", ["vendor/b"], ["a/vendor/b"]),
        ("vendor[0-9]", ["vendor1/a", "a/vendor2"], ["vendor/a", "vendor[0-9]/a", "vendorx"]),
        ("v[!a-c]", ["vd"], ["va", "v"]),
        ("a\\*", ["a*"], ["ab"]),
        ("build/", ["build/x", "a/build/x"], ["build", "a/build"]),
        ("tests/*/Dockerfile", ["tests/a/Dockerfile"], ["tests/Dockerfile", "tests/a/b/Dockerfile"]),
        ("**/Dockerfile", ["Dockerfile", "a/b/Dockerfile"], ["a/Dockerfile.dev"]),
        ("*.y?ml", ["a.yaml", "x/b.yyml"], ["a.yml", "a.y/ml"]),
        ("a/**/b", ["a/b", "a/x/y/b", "a/b/c"], ["a/xb"]),
    ],
)
def test_paths(pattern: str, matching: list[str], other: list[str]) -> None:
    compiled = PathPatterns(pattern)
    assert [path for path in matching if not compiled.matches(path)] == []
    assert [path for path in other if compiled.matches(path)] == []


def test_patterns_travel_to_other_processes() -> None:
    for pattern in (ImagePattern("a.io/*"), HostPattern("10.0.0.0/8"), PathPatterns("a/**")):
        assert pickle.loads(pickle.dumps(pattern)) == pattern
    assert pickle.loads(pickle.dumps(ImagePattern("a.io/*"))).matches(parse("a.io/b"))


def _slowly(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern.startswith("**"):
        rest = pattern.lstrip("*")
        return any(_slowly(rest, text[at:]) for at in range(len(text) + 1))
    if pattern[0] == "*":
        run = len(text) if "/" not in text else text.index("/")
        return any(_slowly(pattern[1:], text[at:]) for at in range(run + 1))
    return bool(text) and text[0] == pattern[0] and _slowly(pattern[1:], text[1:])


@given(st.text("ab/*", max_size=8).filter(lambda pattern: "**/" not in pattern), st.text("ab/", max_size=8))
def test_globs_match_as_defined(pattern: str, text: str) -> None:
    assert Glob(pattern).matches(text) is _slowly(pattern, text)


@pytest.mark.parametrize(("wildcard", "piece"), [("*a", "a"), ("**/a", "a/"), ("**a", "a"), ("?*", "a")])
def test_glob_matches_a_long_text_in_linear_time(wildcard: str, piece: str) -> None:
    glob = Glob(wildcard * 30 + "b")
    assert not glob.matches(piece * 100)
    assert_linear(lambda size: piece * size, glob.matches)


@pytest.mark.parametrize(("wildcard", "piece"), [("*a", "a"), ("**/a", "a/")])
def test_glob_with_many_wildcards_matches_in_linear_time(wildcard: str, piece: str) -> None:
    text = piece * 100
    assert_linear(lambda size: Glob(wildcard * size + "b"), lambda glob: glob.matches(text), 10, 3)


GIT_CASES = [
    ["vendor[0-9]"],
    ["vendor*", "!vendor1"],
    ["vendor1", "!vendor1/keep"],
    ["*.yaml", "!keep.yaml"],
    ["/*", "!/a", "/a/*", "!/a/b"],
    ["a/**", "!a/b/"],
    ["**/b/x"],
    ["# comment", "", "b  ", "\\!x", "\\#x"],
    ["x", "!x", "a/x"],
    ["[a-b]/?", "!a/[!x]"],
    ["a/**/x"],
    ["b/", "!a/b/"],
]
GIT_PATHS = [
    "vendor1/x", "vendor1/keep", "vendor/x", "a/vendor2/b", "keep.yaml", "a/keep.yaml", "a/x.yaml", "a/b/x", "a/b/keep",
    "b/x", "x", "!x", "#x", "a/x", "a/y", "b", "a/b/c/x", "vendor1",
]  # fmt: skip


@pytest.mark.parametrize("lines", GIT_CASES, ids=" ".join)
def test_path_patterns_match_as_in_git(lines: list[str], tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n", encoding="utf-8")
    asked = subprocess.run(
        ["git", "-C", tmp_path, "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(GIT_PATHS), capture_output=True, text=True, check=False,
    )  # fmt: skip
    ignored = asked.stdout.split("\0")[:-1]
    assert [path for path in GIT_PATHS if PathPatterns(*lines).matches(path)] == ignored


def test_path_pattern_that_is_not_valid_is_refused() -> None:
    with pytest.raises(PatternError, match="invalid pattern of paths '!'"):
        PathPatterns("a", "!")


def test_path_patterns_without_pathspec_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pathspec", None)
    _spec.cache_clear()
    assert not PathPatterns().matches("a")
    with pytest.raises(ImgrefError, match=re.escape("pip install 'imgref[check]'")):
        PathPatterns("vendor")
