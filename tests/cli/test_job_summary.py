"""The job summary of GitHub Actions."""

from __future__ import annotations

from pathlib import Path

from vectors import clean_environ, imgref


def check(directory: Path, *options: str, summary: Path) -> tuple[int, str]:
    (directory / "Dockerfile").write_text("FROM nginx\n", encoding="utf-8")
    done = imgref("check", *options, cwd=directory, environ=clean_environ(GITHUB_STEP_SUMMARY=str(summary)))
    return done.exit, done.stderr


def test_the_format_github_appends_a_summary(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    assert check(tmp_path, "--format", "github", summary=summary)[0] == 1
    before, title, *_ = summary.read_text(encoding="utf-8").splitlines()
    assert (before, title) == ("before", "### imgref check")
    assert "| Dockerfile&#58;1 | IMG101" in summary.read_text(encoding="utf-8")


def test_other_formats_write_no_summary(tmp_path: Path) -> None:
    check(tmp_path, "--format", "concise", summary=tmp_path / "summary.md")
    assert not (tmp_path / "summary.md").exists()


def test_a_summary_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    code, stderr = check(tmp_path, "--format", "github", summary=tmp_path / "missing" / "summary.md")
    assert code == 1
    assert "warning: GITHUB_STEP_SUMMARY: " in stderr


def test_summary_of_a_clean_tree_reports_no_findings(tmp_path: Path) -> None:
    check(tmp_path, "--format", "github", "--ignore", "IMG101", summary=tmp_path / "summary.md")
    assert "no findings" in (tmp_path / "summary.md").read_text(encoding="utf-8")
