from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from check_trees import run, write_tree

Capsys = pytest.CaptureFixture[str]

TREE = {
    "Dockerfile": "FROM nginx:latest\nCOPY --from=redis /a /b\n",
    "compose.yaml": """\
services:
  a:
    image: nginx:1.27.3
  b:
    image: ${NOTHING}
  c: {image: x, build: .}
""",
}

REDIS = "docker.io/library/redis:latest"


@pytest.fixture(autouse=True)
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_tree(tmp_path, TREE))
    monkeypatch.setenv("NO_COLOR", "1")


def test_findings_go_to_stdout_and_all_else_to_stderr(capsys: Capsys) -> None:
    outcome = run(capsys, "check")
    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "Dockerfile:1:6: IMG102 'nginx:latest' is not a fixed version: 'latest' moves with every push",
        "Dockerfile:2:13: IMG101 'redis' has neither a tag nor a digest, so it means 'latest'",
        f"Dockerfile:2:13: IMG502 'redis' is not a stage of this file, so it is pulled as the image {REDIS}",
    ]
    assert outcome.err == "3 findings in 1 file (2 files, 4 references, 1 unresolved)\n"


def test_a_clean_tree(capsys: Capsys) -> None:
    assert run(capsys, "check", "compose.yaml") == (0, "", "no findings (1 file, 2 references, 1 unresolved)\n")


def test_a_tree_without_anything(tmp_path: Path, capsys: Capsys) -> None:
    (tmp_path / "empty").mkdir()
    assert run(capsys, "check", "empty") == (0, "", "no findings (no files, no references)\n")


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (["--select", "IMG101"], ["IMG101"]),
        (["--select", "IMG101,IMG502"], ["IMG101", "IMG502"]),
        (["--select", "IMG101", "--select", "IMG5"], ["IMG101", "IMG502", "IMG503"]),
        (["--ignore", "IMG1"], ["IMG502"]),
        (["--select", "IMG1", "--ignore", "IMG103,IMG104"], ["IMG102", "IMG101"]),
        (["--exit-zero"], ["IMG102", "IMG101", "IMG502"]),
    ],
)
def test_which_rules(capsys: Capsys, options: list[str], codes: list[str]) -> None:
    outcome = run(capsys, "check", *options)
    assert outcome.codes() == codes
    assert outcome.code == (0 if "--exit-zero" in options else 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: there is no such file or directory"),
        (["--select", "IMG7"], "no rule's code begins with 'IMG7'; did you mean"),
        (["--config", "nowhere.toml"], "nowhere.toml: cannot be read: No such file or directory"),
        (
            ["--baseline", "nowhere.json"],
            "nowhere.json: there is no such baseline; --write-baseline nowhere.json makes",
        ),
        (["--baseline", "Dockerfile"], "Dockerfile: is not a baseline: write one with --write-baseline"),
        (["--max-size", "huge"], "'huge' is not a size; write bytes, or a number such as 500K or 20M"),
        (["--max-size", "0"], "'0' is not a size"),
        (["--build-arg", "=x"], "'=x' has no name; write NAME=VALUE"),
        (["--platform", "linux"], "'linux' is not a platform; write os/architecture, as in linux/amd64"),
        (["--stdin-filename", "Dockerfile"], "--stdin-filename needs a - among the paths"),
        (["-", "-"], "standard input can be read only once"),
        (["--format", "sarif", "--statistics"], "--statistics goes with the formats full, concise and json only"),
        (["--format", "github", "--show-references"], "--show-references goes with the formats full"),
        (["--format", "xml"], "'xml' is not one of"),
        (["--group-by", "image", "--format", "json"], "--group-by goes with the formats full and concise only"),
        (["--group-by", "image", "--format", "sarif"], "--group-by goes with the formats full and concise only"),
        (["--group-by", "rule", "--statistics"], "--statistics cannot be combined with --group-by"),
        (["--group-by", "name"], "'name' is not one of"),
    ],
)
def test_what_cannot_be_run(capsys: Capsys, arguments: list[str], message: str) -> None:
    outcome = run(capsys, "check", *arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_settings_with_a_mistake(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {".imgref.toml": '[check]\nalowed = ["official"]\n'})
    assert run(capsys, "check") == (
        2,
        "",
        "error: .imgref.toml:2: unknown key 'alowed' in [check]; did you mean 'allowed'?\n",
    )


def test_nearest_settings_apply_to_each_file(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(
        tmp_path,
        {
            ".imgref.toml": '[check]\nselect = ["IMG102"]\n',
            "sub/.imgref.toml": 'extends = "../.imgref.toml"\n[check]\nextend-select = ["IMG101"]\n',
            "sub/Dockerfile": TREE["Dockerfile"],
        },
    )
    assert run(capsys, "check").codes() == ["IMG102", "IMG102", "IMG101"]
    assert run(capsys, "check", "sub/Dockerfile").codes() == ["IMG102", "IMG101"]
    assert run(capsys, "check", "--config", ".imgref.toml").codes() == ["IMG102", "IMG102"]


def test_files_elsewhere_are_checked_with_the_settings_here(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path, {"here/.imgref.toml": '[check]\nselect = ["IMG502"]\n'})
    monkeypatch.chdir(tmp_path / "here")
    assert run(capsys, "check", "../Dockerfile").codes() == ["IMG502"]
    write_tree(tmp_path, {".imgref.toml": '[check]\nselect = ["IMG102"]\n'})
    assert run(capsys, "check", "../Dockerfile").codes() == ["IMG102"]


def test_patterns_of_paths_start_at_the_settings(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(
        tmp_path,
        {
            ".imgref.toml": '[check]\nexclude = ["vendor/**"]\n[check.per-file-ignores]\n"sub/**" = ["IMG502"]\n',
            "sub/Dockerfile": TREE["Dockerfile"],
            "vendor/Dockerfile": TREE["Dockerfile"],
            "sub/vendor/Dockerfile": "FROM nginx\n",
        },
    )
    monkeypatch.chdir(tmp_path / "sub")
    outcome = run(capsys, "check", "..", "--select", "IMG502")
    assert [line.split(":")[0] for line in outcome.out.splitlines()] == ["../Dockerfile"]
    assert run(capsys, "check").codes() == ["IMG102", "IMG101", "IMG101"]
    assert run(capsys, "check", "../vendor/Dockerfile").codes() == ["IMG102", "IMG101", "IMG502"]


def test_patterns_of_paths_apply_through_links(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"real/.imgref.toml": '[check]\nexclude = ["a/**"]\n', "real/a/Dockerfile": "FROM nginx\n"})
    (tmp_path / "link").symlink_to("real")
    for root in ("real", "link", f"{tmp_path}/link", "link/a"):
        assert run(capsys, "check", root).out == ""


def test_exception_that_has_expired_is_reported(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = '[[check.exceptions]]\nimage = "nginx"\nrules = ["IMG102"]\nreason = "until then"\nexpires = 2027-06-30\n'
    write_tree(tmp_path, {".imgref.toml": entry})
    monkeypatch.setattr("imgref.cli._check_files._today", lambda: date(2027, 6, 30))
    assert run(capsys, "check").codes() == ["IMG101", "IMG502"]
    monkeypatch.setattr("imgref.cli._check_files._today", lambda: date(2027, 7, 1))
    outcome = run(capsys, "check")
    assert "push; the exception for it (until then) expired on 2027-06-30" in outcome.out
    assert outcome.err.startswith(
        "warning: .imgref.toml:1: the exception for nginx (until then) expired on 2027-06-30, and does not count\n"
    )


def test_a_baseline(tmp_path: Path, capsys: Capsys) -> None:
    assert run(capsys, "check", "--write-baseline", "known.json").code == 0
    assert run(capsys, "check", "--baseline", "known.json") == (
        0,
        "",
        "no findings (2 files, 4 references, 1 unresolved, 3 in the baseline)\n",
    )
    write_tree(tmp_path, {"Dockerfile": "\n\nFROM nginx:latest\nFROM alpine\n"})
    outcome = run(capsys, "check", "--baseline", "known.json")
    assert (outcome.code, outcome.codes()) == (1, ["IMG101"])
    assert "2 findings of the baseline are gone: write it again with --write-baseline to forget them\n" in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Dockerfile", "compose.yaml", "known.json"]


def known(path: Path) -> set[tuple[str, str]]:
    return {(entry["path"], entry["code"]) for entry in json.loads(path.read_text(encoding="utf-8"))["findings"]}


SEVERAL = {
    "a/Dockerfile": "FROM nginx:latest\nCOPY --from=redis /a /b\n",
    "b/Dockerfile": "FROM nginx:latest\n",
    "vendor/Dockerfile": "FROM nginx:latest\n",
}
ALL_KNOWN = {
    ("a/Dockerfile", "IMG101"),
    ("a/Dockerfile", "IMG102"),
    ("a/Dockerfile", "IMG502"),
    ("b/Dockerfile", "IMG102"),
    ("vendor/Dockerfile", "IMG102"),
}


@pytest.mark.parametrize(
    ("arguments", "settings", "gone"),
    [
        (["a"], "", {("a/Dockerfile", "IMG102")}),
        (["a/Dockerfile"], "", {("a/Dockerfile", "IMG102")}),
        (["b"], "", set()),
        ([".", "--select", "IMG502"], "", set()),
        ([".", "--ignore", "IMG102"], "", set()),
        (["."], 'per-file-ignores = { "a/**" = ["IMG102"] }', set()),
        (["."], 'exclude = ["vendor/**"]', {("a/Dockerfile", "IMG102")}),
        (["."], 'exclude = ["a/**"]', set()),
        (["."], "", {("a/Dockerfile", "IMG102")}),
    ],
)
def test_a_baseline_of_a_part_keeps_the_rest(
    tmp_path: Path, capsys: Capsys, arguments: list[str], settings: str, gone: set[tuple[str, str]]
) -> None:
    (tmp_path / "Dockerfile").unlink()
    write_tree(tmp_path, SEVERAL)
    baseline = tmp_path / "known.json"
    assert run(capsys, "check", "--write-baseline", "known.json").code == 0
    assert known(baseline) == ALL_KNOWN
    write_tree(
        tmp_path,
        {".imgref.toml": f"[check]\n{settings}\n", "a/Dockerfile": SEVERAL["a/Dockerfile"].replace("latest", "1.27.3")},
    )
    outcome = run(capsys, "check", "--baseline", "known.json", *arguments)
    assert outcome.code == 0
    assert ("gone" in outcome.err) is bool(gone)
    assert run(capsys, "check", "--write-baseline", "known.json", *arguments).code == 0
    assert known(baseline) == ALL_KNOWN - gone


def test_a_baseline_forgets_files_that_are_deleted_and_keeps_those_that_cannot_be_read(
    tmp_path: Path, capsys: Capsys
) -> None:
    write_tree(
        tmp_path, {**SEVERAL, "c/Dockerfile": "FROM nginx:latest\n", "d.yaml": "services: {a: {image: redis}}\n"}
    )
    assert run(capsys, "check", "--write-baseline", "known.json").code == 0
    (tmp_path / "a" / "Dockerfile").unlink()
    (tmp_path / "b" / "Dockerfile").unlink()
    (tmp_path / "b" / "Dockerfile").symlink_to("nowhere")
    write_tree(tmp_path, {"c/Dockerfile": b"\0", "d.yaml": "services: {a: {image: 1}}\n: [\n"})
    assert "2 findings of the baseline are gone" not in run(capsys, "check", "--baseline", "known.json", "c").err
    assert run(capsys, "check", "--write-baseline", "known.json").code == 2
    names = {path for path, _ in known(tmp_path / "known.json")}
    assert names == {"Dockerfile", "b/Dockerfile", "c/Dockerfile", "d.yaml", "vendor/Dockerfile"}
    assert {("c/Dockerfile", "IMG102"), ("d.yaml", "IMG101")} <= known(tmp_path / "known.json")


@pytest.mark.parametrize("content", ["FROM nginx\n", '{"version": 1, "findings": {}}', "[", "\xff"])
def test_a_file_that_is_not_a_baseline_is_not_overwritten(tmp_path: Path, capsys: Capsys, content: str) -> None:
    target = tmp_path / "target"
    target.write_text(content, encoding="latin-1")
    for option in ("--baseline", "--write-baseline"):
        outcome = run(capsys, "check", option, "target")
        assert (outcome.code, outcome.out) == (2, "")
        assert "target: is not a baseline" in outcome.err
    assert target.read_text(encoding="latin-1") == content


def test_a_baseline_is_written_through_links_and_to_regular_files_only(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"real/known.json": ""})
    (tmp_path / "real" / "known.json").chmod(0o600)
    (tmp_path / "known.json").symlink_to("real/known.json")
    assert run(capsys, "check", "--write-baseline", "known.json").code == 0
    assert (tmp_path / "known.json").is_symlink()
    assert (tmp_path / "real" / "known.json").stat().st_mode & 0o777 == 0o600
    assert len(known(tmp_path / "real" / "known.json")) == 3
    for target, reason in (("real", "it is not a regular file"), ("nowhere/x.json", "there is no such directory")):
        outcome = run(capsys, "check", "--write-baseline", target)
        assert (outcome.code, outcome.out) == (2, "")
        assert f"{target}: cannot be written: {reason}" in outcome.err
    os.mkfifo(tmp_path / "pipe")
    assert run(capsys, "check", "--write-baseline", "pipe").code == 2


def test_a_baseline_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, "check", "--write-baseline", "known.json").code == 0
    before = (tmp_path / "known.json").read_bytes()
    write_tree(tmp_path, {"z.Dockerfile": "FROM redis\n"})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = run(capsys, "check", "--write-baseline", "known.json")
    assert outcome.code == 2
    assert "known.json: No space left on device" in outcome.err
    assert (tmp_path / "known.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "Dockerfile", "compose.yaml", "known.json", "z.Dockerfile"
    ]  # fmt: skip


def test_statistics(capsys: Capsys) -> None:
    outcome = run(capsys, "check", "--statistics")
    assert (outcome.code, outcome.out) == (
        1,
        "1 IMG101 implicit-latest\n1 IMG102 latest-tag\n1 IMG502 implicit-image\n",
    )
    assert run(capsys, "check", "--statistics", "--format", "json").data[0] == {
        "code": "IMG101",
        "name": "implicit-latest",
        "count": 1,
    }


@pytest.mark.parametrize("style", ["json", "gitlab", "sarif"])
def test_formats_that_are_one_whole(capsys: Capsys, style: str) -> None:
    outcome = run(capsys, "check", "--format", style)
    found = outcome.data["runs"][0]["results"] if style == "sarif" else outcome.data
    assert (outcome.code, len(found)) == (1, 3)
    empty = run(capsys, "check", "--format", style, "compose.yaml")
    assert (empty.data["runs"][0]["results"] if style == "sarif" else empty.data) == []


def test_references_are_listed_and_not_checked(capsys: Capsys) -> None:
    outcome = run(capsys, "check", "--show-references", "--format", "json")
    assert outcome.code == 0
    assert outcome.data == [
        {
            "path": "Dockerfile",
            "line": 1,
            "column": 6,
            "text": "nginx:latest",
            "resolved": "nginx:latest",
            "role": "external",
            "construct": "from",
        },
        {
            "path": "Dockerfile",
            "line": 2,
            "column": 13,
            "text": "redis",
            "resolved": "redis",
            "role": "external",
            "construct": "copy-from",
        },
        {
            "path": "compose.yaml",
            "line": 3,
            "column": 12,
            "text": "nginx:1.27.3",
            "resolved": "nginx:1.27.3",
            "role": "external",
            "construct": "services.image",
        },
        {
            "path": "compose.yaml",
            "line": 6,
            "column": 14,
            "text": "x",
            "resolved": "x",
            "role": "built-here",
            "construct": "services.image",
        },
    ]
    assert outcome.err == "4 references, 1 unresolved in 2 files\n"


def test_unresolved_references_are_listed_on_demand(tmp_path: Path, capsys: Capsys) -> None:
    outcome = run(capsys, "check", "--show-references", "--show-unresolved", "--format", "json")
    (unresolved,) = [entry for entry in outcome.data if entry["role"] == "unresolved"]
    assert (unresolved["text"], unresolved["resolved"], unresolved["line"]) == ("${NOTHING}", None, 5)
    assert "compose.yaml:5:12: unresolved ${NOTHING}" in run(capsys, "check", "--show-unresolved").err
    write_tree(tmp_path, {"Dockerfile": "ARG X\nFROM $X\nARG Y=1\nFROM redis:$Y\n"})
    assert "Dockerfile:2:6: unresolved $X\n" in run(capsys, "check", "--show-references").out


def test_variables_from_outside(tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"Dockerfile": "ARG X\nARG Y\nFROM $X:$Y-$TARGETARCH\n"})
    monkeypatch.setenv("Y", "2")
    outcome = run(capsys, "check", "--show-references", "--build-arg", "X=redis", "--build-arg", "Y",
                  "--platform", "linux/arm64", "Dockerfile")  # fmt: skip
    assert outcome.out == "Dockerfile:3:6: external $X:$Y-$TARGETARCH -> redis:2-arm64\n"


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(data)))


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (b"FROM nginx\n", ["--stdin-filename", "a/Dockerfile"], "a/Dockerfile:1:6: IMG101"),
        (b"image: nginx\n", ["--stdin-filename", ".gitlab-ci.yml"], ".gitlab-ci.yml:1:8: IMG101"),
        (b"FROM nginx\n", [], "<stdin>:1:6: IMG101"),
        (b"services: {a: {image: nginx}}\n", [], "<stdin>:1:23: IMG101"),
        (b"FROM x:1" + b" " * 100, ["--max-size", "50"], "<stdin>:1:1: IMG901 the file has more than 50 bytes"),
        (b"a: [", [], "<stdin>:1:5: IMG901 this is not YAML"),
        (b"\0", ["--stdin-filename", "a/Dockerfile"], "a/Dockerfile:1:1: IMG901"),
    ],
)
def test_standard_input(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch, data: bytes, options: list[str], expected: str
) -> None:
    feed(monkeypatch, data)
    outcome = run(capsys, "check", "-", *options)
    assert outcome.code == 1
    assert outcome.out.startswith(expected)
    assert outcome.out.count("\n") == 1


def test_a_terminal_is_shown_the_source(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    outcome = run(capsys, "check", "--select", "IMG102")
    assert outcome.out == (
        "Dockerfile:1:6: IMG102 'nginx:latest' is not a fixed\n"
        "    version: 'latest' moves with every push\n"
        "  FROM nginx:latest\n"
        "       ^^^^^^^^^^^^\n"
        "help: write a version, such as nginx:<version>\n"
        "\n"
        "More about this rule: imgref explain IMG102\n"
    )


def test_any_output_can_take_any_name(tmp_path: Path) -> None:
    write_tree(tmp_path, {os.fsdecode(b"\xff\n\xc3\xa9.Dockerfile"): "FROM nginx\n"})
    for encoding in ("ascii", "utf-8"):
        ended = subprocess.run(
            [sys.executable, "-m", "imgref", "check", "--show-references"],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert ended.returncode == 0
        assert b"\\xff\\n" in ended.stdout
        assert b"Traceback" not in ended.stderr


def test_nothing_heavy_is_loaded_before_it_is_needed(tmp_path: Path) -> None:
    write_tree(tmp_path, {"only/Dockerfile": "FROM nginx:1.27.3\n"})
    program = (
        "import sys\nfrom imgref.cli.main import main\n"
        "try:\n    main(['check', 'only'])\nexcept SystemExit as ended:\n    assert ended.code == 0\n"
        "print(*[name for name in ('yaml', 'rich', 'urllib3', 'multiprocessing', 'asyncio') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "\n"


def test_command_without_its_extra_names_the_extra(tmp_path: Path) -> None:
    program = "import sys\nsys.modules['yaml'] = None\nfrom imgref.cli.main import main\nmain(['check'])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "error: YAML is read with PyYAML, which is not installed: pip install 'imgref[check]'"
    )
    alone = "import sys\nsys.modules['yaml'] = None\nfrom imgref.cli.main import main\nmain(['check', 'Dockerfile'])"
    assert subprocess.run([sys.executable, "-c", alone], capture_output=True, check=False).returncode == 1


def test_the_help_names_every_option(capsys: Capsys) -> None:
    text = run(capsys, "check", "--help").out
    for option in ("--select", "--baseline", "--show-references", "--stdin-filename", "--max-size", "--exit-zero"):
        assert option in text


def test_json_is_ascii(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"Dockerfile": "FROM caf\u00e9\n"})
    outcome = run(capsys, "check", "--format", "json", "Dockerfile")
    assert outcome.out.isascii()
    assert json.loads(outcome.out)[0]["text"] == "caf\u00e9"


HOSTILE = "\x1b]0;x\x07\x1b[2J\x9b31m\x7f\u202e\u2066\u2028\u2029\x85"


@pytest.mark.parametrize("style", ["full", "concise", "json", "github", "gitlab", "sarif"])
@pytest.mark.parametrize("more", [[], ["--show-references"], ["--statistics"], ["--show-unresolved"]])
def test_check_prints_no_control_characters(style: str, more: list[str], tmp_path: Path, capsys: Capsys) -> None:
    name = f"{HOSTILE}\n::error::x"
    tree: dict[str, str | bytes] = {
        f"{name}.Dockerfile": f"FROM a{HOSTILE}/b\nFROM x as {HOSTILE}\nFROM $X{HOSTILE}\nCOPPY {HOSTILE}\n",
        f"{name}/compose.yaml": f"services: {{a: {{image: {json.dumps('b' + HOSTILE)}}}}}",
        f"{name}/broken.Dockerfile": b"FROM a\0b\xff\n",
        f"{name}/daemon.json": json.dumps({"insecure-registries": [HOSTILE, [HOSTILE]]}),
        ".imgref.toml": "[[check.exceptions]]\nimage = 'x'\nexpires = 2001-01-01\n"
        f"reason = {json.dumps(HOSTILE)}\n".replace("\x7f", "\\u007f"),
    }
    write_tree(tmp_path, tree)
    (tmp_path / f"{name}.yaml").symlink_to("nowhere")
    outcome = run(capsys, "check", f"--format={style}", *more)
    assert (outcome.out + outcome.err).replace("\n", "").isprintable()
    assert "\n::error::x" not in outcome.out + outcome.err
    if style == "json" and not more:
        assert f"{name}.Dockerfile" in {finding["path"] for finding in outcome.data}


def test_baseline_of_the_settings_applies_wherever_the_check_is_started(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(
        tmp_path, {".imgref.toml": '[check]\nbaseline = "ci/known.json"\n', "ci/x": "", "a/Dockerfile": "FROM x\n"}
    )
    missing = run(capsys, "check")
    assert (missing.code, missing.out) == (2, "")
    assert "ci/known.json: there is no such baseline; --write-baseline ci/known.json makes one" in missing.err
    assert run(capsys, "check", "--write-baseline", "ci/known.json").code == 0
    assert run(capsys, "check").err == "no findings (3 files, 5 references, 1 unresolved, 4 in the baseline)\n"
    monkeypatch.chdir(tmp_path / "a")
    assert run(capsys, "check").err == "no findings (1 file, 1 reference, 1 in the baseline)\n"
    write_tree(tmp_path, {"a/Dockerfile": "FROM x\nFROM y\n"})
    assert run(capsys, "check").codes() == ["IMG101"]
    write_tree(tmp_path, {"a/Dockerfile": "FROM x:1\n"})
    assert run(capsys, "check").err.startswith("1 finding of the baseline is gone")
    # A baseline that is given replaces it, and one of the settings is ignored by what checks nothing.
    write_tree(tmp_path, {"empty.json": '{"version": 1, "findings": []}', "a/Dockerfile": "FROM x\n"})
    assert run(capsys, "check", "--baseline", "../empty.json").code == 1
    (tmp_path / "ci" / "known.json").unlink()
    assert run(capsys, "check", "--show-references").code == 0


def test_each_settings_file_has_its_own_baseline(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {".imgref.toml": '[check]\nbaseline = "known.json"\n'})
    assert run(capsys, "check", "--write-baseline", "known.json").code == 0
    write_tree(tmp_path, {"sub/.imgref.toml": "[check]\n", "sub/Dockerfile": "FROM redis\n"})
    assert run(capsys, "check").codes() == ["IMG101"]
    write_tree(tmp_path, {"sub/.imgref.toml": '[check]\nbaseline = "own.json"\n'})
    assert run(capsys, "check", "sub", "--write-baseline", "sub/own.json").code == 0
    assert run(capsys, "check").code == 0


def test_group_by_prints_one_entry_for_each_image_with_its_locations(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"z/Dockerfile": TREE["Dockerfile"]})
    outcome = run(capsys, "check", "--group-by", "image", "--select", "IMG102")
    assert outcome == (
        1,
        """\
docker.io/library/nginx:latest: 2 findings in 2 files
  IMG102 'nginx:latest' is not a fixed version: 'latest' moves with every push
    Dockerfile:1:6
    z/Dockerfile:1:6
    help: write a version, such as nginx:<version>

""",
        "2 findings in 2 files (3 files, 6 references, 1 unresolved)\n",
    )
    assert run(capsys, "check", "--group-by", "file", "compose.yaml").out == ""


def test_full_draws_what_is_found_again_once(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"z/Dockerfile": TREE["Dockerfile"]})
    outcome = run(capsys, "check", "--format", "full", "--select", "IMG102")
    assert outcome.out.count("FROM nginx:latest") == 1
    assert "  the same at:\n    z/Dockerfile:1:6\n" in outcome.out
    assert outcome.out.endswith("\nMore about this rule: imgref explain IMG102\n")


@pytest.mark.parametrize("option", [[], ["--show-references"], ["--baseline"], ["--config"], ["--enforce"]])
def test_check_of_a_fifo_without_a_writer_ends(tmp_path: Path, capsys: Capsys, option: list[str]) -> None:
    os.mkfifo(tmp_path / "x.Dockerfile")
    outcome = run(capsys, "check", *option, "x.Dockerfile")
    assert outcome.code == (2 if option else 1)
    assert "not a regular file" in outcome.out + outcome.err
