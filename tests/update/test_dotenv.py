"""Edits of the file ``.env``, which holds references, or their tags, of the Compose files beside it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from update.fakes import FakeRegistry, digest_of, with_digests

from imgref.sources.recognition import Places
from imgref.sources.walk import Listing
from imgref.update.dotenv import with_dotenv
from imgref.update.moving import plan_update
from imgref.update.pinning import plan_pin, plan_unpin
from imgref.update.plan import Left, Plan, Spot, spots
from imgref.update.policy import Rule
from imgref.update.source import read_source, read_sources

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = ("1.27", "1.28", "16.1", "16.2")


def services(*images: str) -> str:
    return "services:\n" + "".join(f"  s{number}:\n    image: {image}\n" for number, image in enumerate(images))


def spots_in(directory: Path, *, ignored: bool = False) -> tuple[tuple[Spot, ...], tuple[Left, ...]]:
    paths = sorted(str(path) for path in directory.iterdir() if path.suffix in {".yml", ".yaml"})
    read = [read_source(path, Places().of(path), shown=path, named=True) for path in paths]
    return spots(with_dotenv([source for source in read if source is not None], lambda _: ignored), lambda _: True)


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (directory / name).write_bytes(text.encode("utf-8", "surrogateescape"))


def results(plan: Plan) -> dict[str, str]:
    assert not plan.bugs
    return {Path(file.source.path).name: file.result.decode("utf-8", "surrogateescape") for file in plan.files}


def reasons(plan: Plan) -> list[str]:
    return [left.reason for left in plan.left if left.counts]


def pin(directory: Path, *, ignored: bool = False) -> Plan:
    return plan_pin(*spots_in(directory, ignored=ignored), FakeRegistry())


def update(directory: Path) -> Plan:
    return plan_update(*spots_in(directory), FakeRegistry(TAGS), lambda _: Rule(), NOW)


@pytest.mark.parametrize(
    ("env", "image", "pinned"),
    [
        ("IMAGE=nginx:1.27\n", "$IMAGE", "IMAGE=nginx:1.27@D(nginx:1.27)\n"),
        ("A=x\nexport IMAGE='nginx:1' # web\nB=y", "${IMAGE}", "A=x\nexport IMAGE='nginx:1@D(nginx:1)' # web\nB=y"),
        ('\ufeffIMAGE : "nginx:1.27"\r\n', "${IMAGE:-redis:7}", '\ufeffIMAGE : "nginx:1.27@D(nginx:1.27)"\r\n'),
        ("IMAGE=nginx # latest\n", "${IMAGE:?is required}", "IMAGE=nginx:latest@D(nginx:latest) # latest\n"),
        ("IMAGE=x\nIMAGE=nginx:1.27\n\udcff=1\n".replace("\udcff=1", "# \udcff"), '"${IMAGE}"',
         "IMAGE=x\nIMAGE=nginx:1.27@D(nginx:1.27)\n# \udcff\n"),
    ],
)  # fmt: skip
def test_pin_of_a_whole_reference_edits_the_env_file_and_unpin_restores_it(
    env: str, image: str, pinned: str, tmp_path: Path
) -> None:
    write(tmp_path, {"compose.yaml": services(image), ".env": env})
    plan = pin(tmp_path)
    assert (results(plan), reasons(plan)) == ({".env": with_digests(pinned)}, [])
    write(tmp_path, results(plan))
    assert not pin(tmp_path).files
    back = plan_unpin(*spots_in(tmp_path))
    assert results(back) == {".env": env if "nginx:" in env else env.replace("nginx", "nginx:latest")}


def test_change_is_at_the_value_in_the_env_file(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": services("$IMAGE"), ".env": "A=1\nIMAGE='nginx:1.27'\n"})
    (change,) = pin(tmp_path).changes
    assert (Path(change.path).name, change.line, change.column) == (".env", 2, 8)
    assert (change.old, change.new) == ("nginx:1.27", f"nginx:1.27@{digest_of('nginx:1.27')}")


def test_update_moves_a_tag_and_pin_leaves_it_alone(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": services("nginx:${TAG:-1.0}"), ".env": "TAG=1.27\n"})
    assert results(update(tmp_path)) == {".env": "TAG=1.28\n"}
    plan = pin(tmp_path)
    assert (plan.files, reasons(plan)) == ((), ["a variable holds its tag, and a digest would freeze it"])


def test_update_moves_the_digest_of_a_whole_reference(tmp_path: Path) -> None:
    env = with_digests("IMAGE=nginx:1.27@D(nginx:1.27)\n")
    write(tmp_path, {"compose.yaml": services("$IMAGE"), ".env": env})
    assert results(update(tmp_path)) == {".env": with_digests("IMAGE=nginx:1.28@D(nginx:1.28)\n")}


def test_variable_that_two_files_use_for_one_reference_is_edited_once(tmp_path: Path) -> None:
    files = {"compose.yaml": services("nginx:$TAG"), "compose.override.yml": services("nginx:${TAG}", "nginx:$TAG")}
    write(tmp_path, {**files, ".env": "TAG=1.27\n"})
    assert results(update(tmp_path)) == {".env": "TAG=1.28\n"}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"compose.yaml": services("nginx:$V", "redis:$V")}, "is used for something else too"),
        ({"compose.yaml": services("nginx:$V") + "    environment: {V: $V}\n"}, "is used for something else too"),
        ({"compose.yaml": services("nginx:$V"), "other.yml": services("redis:$V")}, "is used for something else too"),
        ({"compose.yaml": services("nginx:$V"), ".env": "V=1.27\nW=$V\n"}, "is used for something else too"),
        ({"compose.yaml": services("nginx:$V-alpine")}, "is set in the file .env"),
        ({"compose.yaml": services("nginx:$V"), ".env": "W=1.27\nV=$W\n"}, "is not written there as it is"),
        ({"compose.yaml": services("nginx:$V"), ".env": 'V="1.2\\0067"\n'}, "is not written there as it is"),
        ({"compose.yaml": services("nginx:$V") + "    env_file: .env\n"}, "names the file .env itself"),
        ({"compose.yaml": services("nginx:$V") + "    volumes: ['./.env:/app/.env']\n"}, "names the file .env itself"),
        (
            {"compose.yaml": services("nginx:$V"), "b.yml": services("nginx:$V # imgref: keep it works")},
            "a comment keeps a reference that uses the variable V",
        ),
    ],
)  # fmt: skip
def test_variable_with_other_uses_is_left_alone(files: dict[str, str], reason: str, tmp_path: Path) -> None:
    write(tmp_path, {".env": "V=1.27\n", **files})
    for plan in (pin(tmp_path), update(tmp_path)):
        assert plan.files == ()
        assert [reason in found for found in reasons(plan)] == [True] * len(reasons(plan)) != []


def test_compose_file_that_is_not_edited_itself_counts(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": services("nginx:$V"), "b.yml": services("redis:$V"), ".env": "V=1.27\n"})
    source = read_source(
        str(tmp_path / "a.yml"), Places().of("compose.yaml"), shown=str(tmp_path / "a.yml"), named=True
    )
    assert source is not None
    found = spots(with_dotenv([source], lambda _: False), lambda _: True)
    assert plan_update(*found, FakeRegistry(TAGS), lambda _: Rule(), NOW).files == ()


@pytest.mark.parametrize(
    "files",
    [
        {"compose.yaml": services("nginx:$V1"), "ci.yaml": "a: $V1\n", "notes.txt": "services: {a: {image: $V1}}\n"},
        {"compose.yaml": services("nginx:$V1") + "    env_file: [.envrc, x.env, .env.local, ' env']\n"},
        {"compose.yaml": services("nginx:$V1"), ".gitlab-ci.yml": "image: redis:$V1\n"},
        {"compose.yaml": services("nginx:$V1"), "compose.override.yaml": services("redis:$V12")},
    ],
)
def test_what_does_not_use_the_variable_does_not_count(files: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, {**files, ".env": "V1=1.27\n"})
    (tmp_path / "empty.yml").touch()
    (tmp_path / "directory.yml").mkdir()
    paths = [path for path in tmp_path.iterdir() if path.name == "compose.yaml"]
    found = spots(with_dotenv(read_sources(paths), lambda _: False), lambda _: True)
    plan = plan_update(*found, FakeRegistry(TAGS), lambda _: Rule(), NOW)
    assert results(plan) == {".env": "V1=1.28\n"}


def test_changes_are_in_the_order_of_the_env_file(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": services("$B", "$A"), ".env": "A=nginx:1.27\nB=redis:7\n"})
    assert [change.line for change in pin(tmp_path).changes] == [1, 2]
    assert [spot.occurrence.line for spot in spots_in(tmp_path)[0]] == [1, 2]


def test_file_in_the_working_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"compose.yaml": services("nginx:$V"), "b.yml": services("redis:$V"), ".env": "V=1.27\n"})
    monkeypatch.chdir(tmp_path)
    found = spots(with_dotenv(read_sources(["compose.yaml"]), lambda _: False), lambda _: True)
    assert reasons(plan_update(*found, FakeRegistry(TAGS), lambda _: Rule(), NOW)) == [
        "the variable V in the file .env is used for something else too"
    ]


def test_compose_file_beside_that_cannot_be_understood_stops_the_edit(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": services("$IMAGE"), ".env": "IMAGE=nginx:1.27\n"})
    (tmp_path / "compose.override.yaml").write_bytes(b"\xff\xfe\xff")
    found = spots(with_dotenv(read_sources([tmp_path / "compose.yaml"]), lambda _: False), lambda _: True)
    (reason,) = reasons(plan_pin(*found, FakeRegistry()))
    assert reason.startswith("a file that may use its variable ")


def test_second_compose_file_that_names_the_file_counts(tmp_path: Path) -> None:
    other = "services:\n  x:\n    image: redis:7\n    env_file: .env\n"
    write(tmp_path, {"a.yml": services("nginx:$V"), "b.yml": other, ".env": "V=1.27\n"})
    assert [reason for reason in reasons(update(tmp_path)) if "names the file .env itself" in reason]


def test_ignored_file_is_read_and_never_edited(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": services("$IMAGE"), ".env": "IMAGE=nginx:1.27\n"})
    plan = pin(tmp_path, ignored=True)
    assert (plan.files, reasons(plan)) == ((), ["git ignores the file .env, which is not edited"])


def test_link_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": services("$IMAGE"), "shared": "IMAGE=nginx:1.27\n"})
    (tmp_path / ".env").symlink_to("shared")
    assert reasons(pin(tmp_path)) == ["the file .env is a link, which other directories may use too"]


def test_comment_keeps_the_reference_in_the_compose_file(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": services("$IMAGE # imgref: keep it works"), ".env": "IMAGE=nginx:1.27\n"})
    plan = pin(tmp_path)
    assert (plan.files, [left.reason for left in plan.left]) == ((), ["kept by a comment: it works"])


VALUES = st.sampled_from(["nginx:1.27", "'nginx:1.27'", '"nginx"', "$V0", "1.27", "", "x y", "nginx:1.27 # x", "'a"])
USES = st.sampled_from(["$V0", "${V0:-nginx}", "nginx:$V1", "nginx:${V1-2}", "redis:$V1", "a/$V0:$V1", "$$V0", "b:1"])


@given(
    values=st.lists(VALUES, max_size=4),
    uses=st.lists(USES, min_size=1, max_size=4),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_pin_changes_spans_of_values_only_and_unpin_restores(
    values: list[str], uses: list[str], end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("any")
    env = "".join(f"V{number % 2}={value}{end}" for number, value in enumerate(values))
    write(directory, {"compose.yaml": services(*uses), ".env": env})
    before = {name: (directory / name).read_bytes().decode() for name in ("compose.yaml", ".env")}
    unpinned = {**before, **results(plan_unpin(*spots_in(directory)))}
    plan = pin(directory)
    write(directory, results(plan))
    assert not pin(directory).files
    back = {**unpinned, **results(plan_unpin(*spots_in(directory)))}
    assert {name: text.replace(":latest", "") for name, text in back.items()} == unpinned


def git(directory: Path, *arguments: str) -> None:
    import subprocess

    subprocess.run(["git", "-C", str(directory), *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("repository", [True, False])
def test_listing_ignores_what_git_ignores(repository: bool, tmp_path: Path) -> None:
    listing = Listing(lambda _: True, {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    below = tmp_path / "a"
    below.mkdir()
    for name in (".env", ".env.local"):
        (below / name).touch()
    (below / ".gitignore").write_text(".env\n")
    if repository:
        git(tmp_path, "init", "--quiet")
    assert (listing.ignores(str(below / ".env")), listing.ignores(str(below / ".env.local"))) == (True, False), listing
    if repository:
        (below / ".gitignore").unlink()
        (tmp_path / ".gitignore").write_text("a/.env\n")
        assert listing.ignores(str(below / ".env"))
        git(tmp_path, "add", "--force", "a/.env")
        assert not listing.ignores(str(below / ".env"))


def test_listing_without_git_does_not_know_and_ignores(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    assert Listing(lambda _: True, {"PATH": str(tmp_path)}).ignores(str(tmp_path / ".env"))
