"""What a check says of files that it did not check, and of a reader that closes the pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from check_trees import run, write_tree
from fork_server import run_forked
from vectors import clean_environ, imgref

from imgref.check.reports import FORMATS

Capsys = pytest.CaptureFixture[str]

HOW_TO_NAME_IT = "name it with --as KIND or in [check.files], or skip such files with --ignore-unknown"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", "nothing\n"),
        ("README.md", "*not* YAML: [\n"),
        ("image.md", "image: [\nservices:\n"),
        ("settings.conf", "image: nginx\n"),
        ("empty", ""),
        ("logo.png", b"\x89PNG\0\0"),
        ("job.txt", "job: {script: a, image: b}\n"),
    ],
)
def test_check_of_a_named_file_of_unknown_kind_exits_2_after_the_others(
    tmp_path: Path, capsys: Capsys, name: str, content: str | bytes
) -> None:
    write_tree(tmp_path, {name: content, "Dockerfile": "FROM nginx\n", "z/Dockerfile": "FROM redis\n"})
    outcome = run(capsys, "check", name, "Dockerfile", "z/Dockerfile")
    assert (outcome.code, outcome.codes()) == (2, ["IMG101", "IMG101"])
    assert f"error: {name}: the kind of this file is unknown" in outcome.err
    assert HOW_TO_NAME_IT in outcome.err
    assert outcome.err.endswith("2 findings in 2 files, and 1 file was not checked (2 files, 2 references)\n")
    assert run(capsys, "check", "--exit-zero", name).code == 2
    assert run(capsys, "check", "--show-references", name).code == 2
    skipped = run(capsys, "check", "--ignore-unknown", name)
    assert (skipped.code, skipped.out) == (0, "")
    assert skipped.err.startswith("no findings")
    assert "(no files, no references, 1 of unknown kinds" in skipped.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.yaml", "a: 1\n"),
        ("data.json", '{"a": 1}'),
        ("tabs.json", '{\n\t"a": [\n\t\t1\n\t]\n}\n'),
        ("list.yml", "- 1\n"),
        ("empty.yaml", ""),
        ("templates.yaml", "a: {{ b }}\n  c: [\n"),
        ("logo.yaml", "logo:\n  image: a.png\n"),
    ],
)
def test_check_of_yaml_or_json_without_images_passes(tmp_path: Path, capsys: Capsys, name: str, content: str) -> None:
    write_tree(tmp_path, {name: content})
    for arguments in ((name,), (".",)):
        assert run(capsys, "check", *arguments) == (0, "", "no findings (no files, no references)\n")


def test_check_of_standard_input_of_unknown_kind_exits_2(tmp_path: Path) -> None:
    for options in ([], ["--stdin-filename", "notes.txt"]):
        outcome = imgref("check", "-", *options, stdin="a: 1\n", cwd=tmp_path)
        assert (outcome.exit, outcome.stdout) == (2, "")
        assert HOW_TO_NAME_IT in outcome.stderr


@pytest.mark.parametrize("named", [True, False])
def test_check_of_a_file_that_looks_like_ci_reports_the_skip(tmp_path: Path, capsys: Capsys, named: bool) -> None:
    write_tree(tmp_path, {"build.yml": "build: {script: make, image: nginx}\n"})
    outcome = run(capsys, "check", "build.yml" if named else ".")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == (
        "warning: build.yml: not checked: it looks like a file of a CI system, but is of no kind that imgref knows\n"
        "no findings, but 1 file was not checked (no files, no references)\n"
    )


def test_check_of_broken_yaml_that_may_have_images_reports_the_skip(tmp_path: Path, capsys: Capsys) -> None:
    manifest = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: nginx}]}\n"
    write_tree(tmp_path, {"deploy.yaml": f"{manifest}x: [\n"})
    outcome = run(capsys, "check")
    assert (outcome.code, outcome.codes()) == (1, ["IMG101"])
    assert "warning: deploy.yaml: not checked: line 5: this is not YAML" in outcome.err
    assert "and 1 file was not checked" in outcome.err
    assert run(capsys, "check", "deploy.yaml").codes() == ["IMG101", "IMG901"]


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "other.yaml", "daemon.json"])
@pytest.mark.parametrize("state", ["dangling", "loop", "fifo", "binary", "large"])
@pytest.mark.parametrize("options", [[], ["--select", "IMG101"], ["--show-references"], ["--exit-zero"]])
def test_check_of_a_file_that_cannot_be_read_never_passes(
    tmp_path: Path, capsys: Capsys, name: str, state: str, options: list[str]
) -> None:
    if state == "fifo":
        os.mkfifo(tmp_path / name)
    elif state in {"dangling", "loop"}:
        (tmp_path / name).symlink_to(name if state == "loop" else "nowhere")
    else:
        write_tree(tmp_path, {name: b"\0" if state == "binary" else b"a" * 2_000})
    outcome = run(capsys, "check", "--max-size", "1K", *options, name)
    assert outcome.code in {1, 2} if options != ["--exit-zero"] else "IMG901" in outcome.out
    if state != "fifo":  # git does not list one
        outcome = run(capsys, "check", "--max-size", "1K", *options, ".")
        assert outcome.code in {1, 2} or "IMG901" in outcome.out


def test_check_with_a_selection_does_not_pass_a_file_that_was_not_read_to_its_end(
    tmp_path: Path, capsys: Capsys
) -> None:
    write_tree(tmp_path, {"compose.yaml": "services: {a: {image: nginx:1.27.3}}\nx: [\n"})
    assert run(capsys, "check").codes() == ["IMG901"]
    outcome = run(capsys, "check", "--select", "IMG1")
    assert outcome.code == 2
    assert "error: compose.yaml: line 3: this is not YAML" in outcome.err
    write_tree(tmp_path, {".imgref.toml": '[check]\nselect = ["IMG1"]\n'})
    assert run(capsys, "check").code == 2
    for ignoring in ('ignore = ["IMG901"]', 'per-file-ignores = { "*" = ["IMG901"] }'):
        write_tree(tmp_path, {".imgref.toml": f"[check]\n{ignoring}\n"})
        outcome = run(capsys, "check")
        assert outcome.code == 0
        assert "no findings, but 1 file was not checked" in outcome.err


def test_check_only_counts_what_is_excluded(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {".imgref.toml": '[check]\nexclude = ["vendor/**", "b.yaml"]\n', "vendor/Dockerfile": b"\0"})
    (tmp_path / "vendor" / "gone.yaml").symlink_to("nowhere")
    (tmp_path / "vendor" / "out").symlink_to("/")
    (tmp_path / "b.yaml").symlink_to("b.yaml")
    assert run(capsys, "check") == (0, "", "no findings (no files, no references, 1 excluded)\n")
    forced = run(capsys, "check", "--force-exclude", "vendor/Dockerfile", "b.yaml")
    assert forced == (0, "", "no findings (no files, no references, 2 excluded)\n")
    assert run(capsys, "check", "vendor/Dockerfile").code == 1


NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a check as somebody who may not read")
@pytest.mark.parametrize("repository", [True, False])
@pytest.mark.parametrize(
    ("named", "error"),
    [
        ("a", "a/in: cannot be read: Permission denied"),
        ("a/in", "a/in: cannot be read: Permission denied"),
        ("b", "b/some.yaml: cannot be read: Permission denied"),
        ("c", "c/pyproject.toml: cannot be read: Permission denied"),
        ("d", "d/Dockerfile: cannot be read: Permission denied"),
    ],
)
def test_check_of_what_may_not_be_read_never_passes(tmp_path: Path, repository: bool, named: str, error: str) -> None:
    files = ("a/in/Dockerfile", "b/some.yaml", "c/pyproject.toml", "c/x.yml", "d/Dockerfile", "ok/any.yml")
    write_tree(tmp_path, dict.fromkeys(files, "services: {a: {image: x:1.2.3}}\n"))
    if repository:
        subprocess.run(["git", "init", "--quiet"], check=True)
    for path in (tmp_path, *tmp_path.parents[:3]):
        path.chmod(path.stat().st_mode | 0o055)
    for name, mode in {"a/in": 0, "b/some.yaml": 0, "c/pyproject.toml": 0, "d": 0o444}.items():
        (tmp_path / name).chmod(mode)
    environ = clean_environ(HOME="/", TMPDIR="/tmp")
    done = imgref("check", named, cwd=tmp_path, environ=environ, user=NOBODY)
    assert (done.exit, done.stdout) == (2, ""), done.stderr
    assert f"error: {error}\n" in done.stderr


def closed(arguments: str, *, both: bool = False) -> int:
    """Run a command whose reader has closed the pipe, and give its exit code."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with open(os.devnull, "r+b") as nothing:
            streams = (nothing.fileno(), writing, writing if both else nothing.fileno())
            return run_forked(arguments.split(), streams, cwd=Path.cwd(), environ=clean_environ())
    finally:
        os.close(writing)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("style", ["full", *FORMATS, "concise --statistics"])
def test_check_with_findings_and_a_closed_pipe_exits_1(tmp_path: Path, style: str, both: bool) -> None:
    write_tree(tmp_path, {"a/Dockerfile": "FROM nginx\n", "b/Dockerfile": "FROM nginx:1.27.3\n"})
    assert closed(f"check --format {style}", both=both) == 1
    assert closed(f"check --format {style} b", both=both) == 0
    assert closed(f"check --format {style} --exit-zero", both=both) == 0


def test_check_that_a_closed_pipe_ends_before_all_files_were_reported_on_exits_1(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.yml": "build: {script: make, image: nginx}\n", "b/Dockerfile": "FROM nginx:1.27.3\n"})
    assert closed("check") == 0
    assert closed("check", both=True) == 1


def test_check_whose_reader_stops_before_the_end_exits_1(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{number}.Dockerfile": "FROM nginx\n" for number in range(2_500)})
    script = 'set -o pipefail; "$0" -m imgref check | head -1'
    done = subprocess.run(["bash", "-c", script, sys.executable], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (1, 1, "")


@pytest.mark.parametrize(
    "command", ["parse nginx", "tags 1.2.3", "check --show-references", "explain", "slug a", "--help"]
)
def test_commands_that_print_data_exit_0_with_a_closed_pipe(tmp_path: Path, command: str) -> None:
    write_tree(tmp_path, {"Dockerfile": "FROM nginx\n"})
    assert closed(command) == 0


def test_check_writes_the_baseline_whoever_reads_the_findings(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"Dockerfile": "FROM nginx\n"})
    assert closed("check --write-baseline known.json") == 0
    assert run(capsys, "check", "--baseline", "known.json").code == 0


NOT_READ = {
    "Makefile": "all:\n\tdocker run --rm alpine true\n",
    "Dockerfile.j2": "FROM nginx:{{ version }}\n",
    "app.yaml": "web:\n  image: redis\n",
    "task.json": '{"image": "ghcr.io/acme/x:1"}\n',
    "README.md": "docker run x\n",
    "main.go": 'var image = "redis:7"\n',
    "vendor/Dockerfile": "FROM redis\n",
    "vendor/Makefile": "x:\n\tdocker run redis\n",
    "Dockerfile": "FROM nginx:1.27.3\n",
    ".imgref.toml": '[check]\nexclude = ["vendor/**"]\n',
}


def test_summary_counts_files_that_may_use_images_and_were_not_read(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, NOT_READ)
    summary = "no findings, but 4 files that may use images were not understood"
    details = "1 file, 1 reference, 1 excluded; --show-skipped lists them"
    assert run(capsys, "check") == (0, "", f"{summary} ({details})\n")
    one = run(capsys, "check", "app.yaml")
    assert one.err.startswith("no findings, but 1 file that may use images was not understood (")
    found = run(capsys, "check", "--select", "IMG103,IMG104")
    assert found.err.startswith("1 finding in 1 file, and 4 files that may use images were not understood (1 file, ")
    assert run(capsys, "check", "--show-references").err == (
        "1 reference in 1 file, but 4 files that may use images were not understood (--show-skipped lists them)\n"
    )


def test_show_skipped_lists_what_was_not_read_with_the_reason(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, NOT_READ)
    listed = [
        "Dockerfile.j2:1: not read, since its kind is unknown: it has 'FROM nginx:{{'",
        "Makefile:2: not read, since its kind is unknown: it has 'docker run'",
        "app.yaml:2: not read, since its kind is unknown: it has 'image: redis'",
        "task.json:1: not read, since its kind is unknown: it has 'image: ghcr.io/acme/x:1'",
        "vendor/Dockerfile: not read: exclude in the settings matches it",
    ]
    for options in ([], ["--show-references"], ["--statistics"], ["--ignore-unknown", ".", "Makefile"]):
        assert run(capsys, "check", "--show-skipped", *options).err.splitlines()[:-1] == listed


def test_show_skipped_in_json_is_an_object_with_everything_that_was_not_checked(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"a.yaml": "image: [\n", "b.sh": "docker pull redis\n", "Dockerfile": b"FROM redis\n"})
    (tmp_path / "c.yaml").symlink_to("nowhere")
    outcome = run(capsys, "check", "--format", "json", "--show-skipped")
    assert outcome.code == 2
    assert [finding["code"] for finding in outcome.data["findings"]] == ["IMG101"]
    assert [(entry["path"], entry["line"], entry["status"]) for entry in outcome.data["skipped"]] == [
        ("a.yaml", None, "skipped"),
        ("b.sh", 1, "unrecognized"),
        ("c.yaml", None, "unread"),
    ]
    assert all(entry["reason"] for entry in outcome.data["skipped"])
    assert "b.sh" not in outcome.err
    assert isinstance(run(capsys, "check", "--format", "json").data, list)


def test_a_secret_in_a_file_that_is_not_read_is_not_shown(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"run.sh": "docker -H tcp://u:hunter2@h run x\n", "x.tf": 'image = "u:hunter2@r.io/x:1"\n'})
    outcome = run(capsys, "check", "--show-skipped")
    assert "run.sh:1" in outcome.err
    assert "hunter2" not in outcome.err


def test_github_gets_one_notice_of_files_that_were_not_understood(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"Dockerfile": "FROM nginx:1.27.3\n"})
    assert "::notice" not in run(capsys, "check", "--format", "github").out
    write_tree(tmp_path, {"a.yaml": "thing:\n  image: nginx\n", "b.yaml": "thing:\n  image: redis\n"})
    told = "::notice title=imgref::2 files that may use images were not understood"
    outcome = run(capsys, "check", "--format", "github")
    assert (outcome.code, outcome.out) == (0, f"{told}; --show-skipped lists them\n")
    assert run(capsys, "check", "--format", "github", "--show-skipped").out == f"{told}\n"
    assert run(capsys, "check", "--format", "concise").out == ""


MIXED = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'nginx:1.27.3'}]}\n---\nweb:\n  image: acme/other\n"


def test_a_document_of_an_unknown_kind_beside_a_known_one_is_counted(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"a.yaml": MIXED})
    outcome = run(capsys, "check", "--show-skipped")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err.splitlines() == [
        "a.yaml:6: not read as a whole, since the kind of a document in it is unknown: it has 'image: acme/other'",
        "no findings, but 1 file that may use images was not understood (1 file, 1 reference)",
    ]
    write_tree(tmp_path, {"a.yaml": MIXED.replace("1.27.3", "latest")})
    assert run(capsys, "check").err.startswith("1 finding in 1 file, and 1 file that may use images was not ")
    told = "warning: 1 file that may use images was not understood; imgref check --show-skipped lists it\n"
    assert run(capsys, "images").err.startswith(told)


def test_a_baseline_forgets_findings_of_a_file_with_a_document_of_an_unknown_kind(
    tmp_path: Path, capsys: Capsys
) -> None:
    write_tree(tmp_path, {"a.yaml": MIXED.replace("1.27.3", "latest")})
    run(capsys, "check", "--write-baseline", "known.json")
    write_tree(tmp_path, {"a.yaml": MIXED})
    assert "1 finding of the baseline is gone" in run(capsys, "check", "--baseline", "known.json").err


def test_sarif_has_notifications_for_files_that_were_not_understood(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"a.yaml": MIXED, "b.sh": "docker pull redis\n", "Dockerfile": "FROM redis:7.4.1\n"})
    (run_,) = run(capsys, "check", "--format", "sarif").data["runs"]
    told = run_["invocations"][0]["toolExecutionNotifications"]
    places = [one["locations"][0]["physicalLocation"] for one in told]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [
        ("a.yaml", 6),
        ("b.sh", 1),
    ]
