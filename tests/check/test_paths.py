"""Checks that a program runs: findings, policies, and files that cannot be checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_trees import write_tree
from test_layering import loaded

from imgref.check import Checked, Policy, check_paths, load_policy
from imgref.errors import ConfigError, ImgrefError

POLICY = load_policy("/", select=("IMG101", "IMG901"))


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(*paths: str | Path, policy: Policy | None = POLICY) -> list[tuple[str, int, str]]:
    return [(finding.path, finding.line, finding.code) for finding in check_paths(paths, policy)]


def test_check_paths_yields_findings_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    write_tree(tmp_path, {"b/Dockerfile": "FROM redis\nFROM mysql\n", "a/ci.yml": "services: {a: {image: x}}\n"})
    expected = [("a/ci.yml", 1, "IMG101"), ("b/Dockerfile", 1, "IMG101"), ("b/Dockerfile", 2, "IMG101")]
    assert found(tmp_path) == found(".") == expected
    assert found(Path("b/Dockerfile")) == expected[1:]
    assert found() == []


def test_check_paths_without_a_policy_uses_that_of_each_directory(tmp_path: Path) -> None:
    dockerfile = "FROM redis\n"
    write_tree(
        tmp_path,
        {
            "a/Dockerfile": dockerfile, "b/Dockerfile": dockerfile, "b/.imgref.toml": '[check]\nselect = "IMG102"\n',
        },
    )  # fmt: skip
    assert [path for path, _, code in found(".", policy=None) if code == "IMG101"] == ["a/Dockerfile"]


def test_check_paths_of_a_path_that_does_not_exist_is_an_error_at_once() -> None:
    with pytest.raises(ImgrefError, match="nowhere: no such file or directory"):
        check_paths(["nowhere"], POLICY)


def test_check_paths_raises_for_a_file_that_is_not_checked_after_all_findings(tmp_path: Path) -> None:
    write_tree(tmp_path, {"data.bin": "\0", "Dockerfile": "FROM redis\n"})
    findings = check_paths(["data.bin", "Dockerfile"], POLICY)
    assert next(findings).path == "Dockerfile"
    with pytest.raises(ImgrefError, match=r"data\.bin: "):
        next(findings)


def test_check_paths_reports_a_file_that_is_not_checked(tmp_path: Path) -> None:
    write_tree(tmp_path, {"data.bin": "\0", "Dockerfile": "FROM redis\n"})
    unchecked: list[Checked] = []
    findings = list(check_paths(["data.bin", "Dockerfile"], POLICY, on_unchecked=unchecked.append))
    assert [finding.code for finding in findings] == ["IMG101"]
    assert [result.path for result in unchecked] == ["data.bin"]


def test_check_paths_that_cannot_list_a_directory_never_passes(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Dockerfile": "FROM redis:7.2.4\n"})
    (tmp_path / "compose.yaml").symlink_to("missing.yaml")
    with pytest.raises(ImgrefError, match="is a link to a file that does not exist"):
        list(check_paths(["."], POLICY))


def test_load_policy_reads_a_file_or_the_nearest_settings_of_a_directory(tmp_path: Path) -> None:
    write_tree(tmp_path, {".imgref.toml": '[check]\nselect = ["IMG101"]\n', "a/b/Dockerfile": "FROM redis\n"})
    policies = [load_policy(path) for path in (None, ".", "a/b", tmp_path / ".imgref.toml")]
    assert all(policy.enabled == {"IMG101"} and policy.root == tmp_path for policy in policies)
    assert load_policy("/").enabled > {"IMG101"}
    assert load_policy(ignore=("IMG101",)).enabled == frozenset()


def test_load_policy_of_settings_that_are_not_valid_is_an_error(tmp_path: Path) -> None:
    write_tree(tmp_path, {".imgref.toml": '[check]\nselekt = ["IMG101"]\n'})
    with pytest.raises(ConfigError, match="selekt"):
        load_policy()
    with pytest.raises(ConfigError):
        load_policy("missing.toml")
    with pytest.raises(ConfigError):
        found(".", policy=None)


def test_an_exception_that_has_expired_does_not_count(tmp_path: Path) -> None:
    entry = '[[check.exceptions]]\nimage = "docker.io/library/redis"\nexpires = {}\n'
    for day, count in (("2020-01-01", 1), ("9999-01-01", 0)):
        write_tree(tmp_path, {".imgref.toml": entry.format(day), "Dockerfile": "FROM redis\n"})
        assert len([code for _, _, code in found(".", policy=load_policy()) if code == "IMG101"]) == count
        assert len([code for _, _, code in found(".", policy=None) if code == "IMG101"]) == count


def test_check_needs_no_command() -> None:
    assert not {name for name in loaded("from imgref.check import check_paths") if name.startswith("imgref.cli")}
    assert "click" not in loaded("from imgref.check import check_paths, load_policy; load_policy()")
