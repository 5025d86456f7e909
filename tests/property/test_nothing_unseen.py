"""Whatever is in a tree: a check says "no findings" and passes only if it has looked at everything."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from check_trees import write_tree
from examples import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from vectors import imgref

from imgref.check.policy import Policy
from imgref.check.rules import codes_of, default_codes
from imgref.check.runner import Checked, Options, check, list_tasks, unlisted
from imgref.sources.recognition import is_candidate
from imgref.sources.walk import Listing

EVIL = "evil.example/app"
CONTENTS = {
    "dockerfile": f"FROM {EVIL}\n",
    "compose": f"services: {{a: {{image: {EVIL}}}}}\n",
    "kubernetes": f"apiVersion: v1\nkind: Pod\ncontainers: [{{image: {EVIL}}}]\n",
    "kubernetes, broken": f"apiVersion: v1\nkind: Pod\ncontainers: [{{image: {EVIL}}}]\nx: [\n",
    "broken before": f"x: ]\napiVersion: v1\nkind: Pod\ncontainers: [{{image: {EVIL}}}]\n",
    "gitlab": f"build: {{script: [x], image: {EVIL}}}\n",
    "like ci": f"build: {{steps: [x], image: {EVIL}}}\n",
    "escaped": f'"serv\\x69ces": {{a: {{"im\\x61ge": {EVIL}}}}}\n',
    "variable": "services: {a: {image: '${EVIL}'}}\n",
    "ignored": f"# imgref: ignore-file[ALL] x\nservices: {{a: {{image: {EVIL}}}}}\n",
    "utf-16": f"services: {{a: {{image: {EVIL}}}}}\n".encode("utf-16"),
    "latin-1": f"# \xe9\nservices: {{a: {{image: {EVIL}}}}}\n".encode("latin-1"),
    "binary": f"services: {{a: {{image: {EVIL}}}}}\n\0".encode(),
    "large": f"services: {{a: {{image: {EVIL}}}}}\n{'#' * 5_000}".encode(),
    "link": None,
}
"""What may be in a file: each has an image that a policy refuses, or would have if it could be read."""

NAMES = (
    "Dockerfile", "x.dockerfile", "compose.yaml", "deploy.yaml", "any.yml", "kustomization.yaml", "action.yml",
    ".gitlab-ci.yml", "cloudbuild.yaml",
)  # fmt: skip
DIRECTORIES = ("", "a/", "a/b/", ".github/workflows/", ".circleci/", "chart/templates/", "hidden/", "sub/")
SETTINGS: dict[str, str] = {
    ".gitignore": "hidden\n*.yaml\n",
    "a/.gitignore": "*\n",
    ".imgref.toml": '[check]\nselect = []\nexclude = ["**"]\n',
    "a/.imgref.toml": "[check]\nselect = []\n",
    "chart/Chart.yaml": "name: x\n",
    "sub/.git/HEAD": "ref: refs/heads/main\n",
}

FILES = st.tuples(st.sampled_from(DIRECTORIES), st.sampled_from(NAMES)).map("".join)
TREES = st.dictionaries(FILES, st.sampled_from(sorted(CONTENTS)), max_size=6)


def write(root: Path, tree: dict[str, str]) -> None:
    for name, content in tree.items():
        data = CONTENTS[content]
        if data is None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to("nowhere")
        else:
            write_tree(root, {name: data})


def results(root: str, policy: Policy, *, everything: bool) -> list[Checked]:
    policies = [policy]
    listing = Listing(is_candidate, os.environ, everything=everything)
    tasks = list_tasks([root], lambda _: 0, policies, listing).tasks
    found = list(check(tasks, policies, Options(max_size=4_000), jobs=1))
    return [*found, *unlisted(listing, lambda _: 0, policies)]


@given(TREES, st.sampled_from(["ALL", "IMG101", "IMG201"]))
@example({"any.yml": "kubernetes, broken", "deploy.yaml": "broken before"}, "IMG101")
@example({"compose.yaml": "binary", "Dockerfile": "link", "any.yml": "large"}, "IMG101")
@settings(deadline=None, max_examples=examples(1))
def test_every_file_in_a_tree_is_accounted_for(tree: dict[str, str], selected: str) -> None:
    with TemporaryDirectory() as root:
        write(Path(root), tree)
        policy = Policy(codes_of([selected]), allowed=())
        seen = {os.path.relpath(result.path, root): result for result in results(root, policy, everything=False)}
        assert set(seen) == set(tree)
        for name, result in seen.items():
            # It has a finding, or an image that cannot be told, or it is said that it was not checked.
            accounted = result.findings or result.unresolved or result.status in {"skipped", "unread"}
            # What BuildKit rejects pulls nothing, so that only IMG901 has something to say of it.
            is_rejected = result.kind == "dockerfile" and selected != "ALL"
            assert accounted or is_rejected or _is_other(name, tree[name]), (name, tree[name], result)


def _is_other(name: str, content: str) -> bool:
    """Return whether a file is of a kind in which this content has no image, such as a Dockerfile in YAML."""
    is_docker = name.lower().endswith("dockerfile")
    return content == "ignored" or (not is_docker and content in {"dockerfile", "gitlab", "like ci"})


@given(TREES, st.sets(st.sampled_from(sorted(SETTINGS))))
@example({"hidden/Dockerfile": "dockerfile"}, {".gitignore"})
@example({"a/Dockerfile": "dockerfile", "a/any.yml": "ignored"}, {"a/.gitignore", "a/.imgref.toml"})
@settings(deadline=None, max_examples=examples(0.3))
def test_enforce_passes_only_without_images_that_it_refuses(tree: dict[str, str], others: set[str]) -> None:
    with TemporaryDirectory() as root:
        base = Path(root)
        write(base / "tree", tree)
        write_tree(base / "tree", {name: SETTINGS[name] for name in others})
        write_tree(base, {"policy.toml": "[check]\nallowed = []\n", "tree/x": ""})
        done = imgref("check", "--max-size", "4000", "--enforce", "../policy.toml", cwd=base / "tree")
        assert "Traceback" not in done.stderr
        harmless = all(_is_other(name, content) and content != "ignored" for name, content in tree.items())
        if not harmless:
            assert done.exit in {1, 2}
            assert not done.stderr.endswith("no findings")
        if done.exit == 0:
            assert done.stderr.startswith("no findings (")


def test_the_default_rules_see_every_kind_of_content() -> None:
    with TemporaryDirectory() as root:
        contents = [content for content in sorted(CONTENTS) if content not in {"ignored", "dockerfile", "variable"}]
        write(Path(root), {f"{number}.yaml": content for number, content in enumerate(contents)})
        for result in results(root, Policy(default_codes()), everything=False):
            assert result.findings or result.status in {"skipped", "unread"}, result
