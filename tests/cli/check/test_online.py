"""``imgref check --online``: what registries say of the images, and never a pass where they say nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from check_trees import Outcome, run, write_tree
from e2e.images import Image, put_image, put_index
from faults import status
from registry.kit import ALWAYS
from registry.server import RegistryServer, run_server

from imgref.check.rules import ONLINE, RULES

GONE = f"sha256:{'0' * 64}"


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with run_server() as server:
        yield server


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str], server: RegistryServer, tree: Path) -> Check:
    return Check(capsys, server, tree)


class Check:
    """Writes files in which HOST is the server, and checks them."""

    def __init__(self, capsys: pytest.CaptureFixture[str], server: RegistryServer, tree: Path) -> None:
        self.capsys, self.server, self.tree = capsys, server, tree

    def write(self, **files: str) -> None:
        names = {"dockerfile": "Dockerfile", "settings": ".imgref.toml", "compose": "compose.yaml"}
        write_tree(
            self.tree, {names.get(name, name): text.replace("HOST", self.server.host) for name, text in files.items()}
        )

    def __call__(self, *options: str) -> Outcome:
        return run(self.capsys, "check", "--online", "--format", "concise", *options)

    def codes(self, *options: str) -> list[str]:
        return self(*options).codes()


def test_online_of_images_that_are_current_finds_nothing(check: Check, server: RegistryServer) -> None:
    index = put_index(server, "app", "1.2.3")
    check.write(dockerfile=f"FROM HOST/app:1.2.3\nFROM HOST/app:1.2.3@{index.digest}\nFROM HOST/app@{index.digest}\n")
    ran = check()
    assert (ran.code, ran.out) == (0, ""), ran.err


def test_pin_drift_names_the_digest_that_the_tag_has_now(check: Check, server: RegistryServer) -> None:
    old = put_image(server, "app", "1.2", text="old")
    new = put_image(server, "app", "1.2", text="new")
    check.write(dockerfile=f"FROM HOST/app:1.2@{old.digest}\n")
    ran = check()
    assert (ran.code, ran.codes()) == (1, ["IMG601"])
    assert f"'1.2' now points to {new.digest}" in ran.out


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("app:2.0.0", "the tag '2.0.0' does not exist"),
        ("nowhere:1.2.3", "the tag '1.2.3' does not exist"),
        (f"app@{GONE}", f"the digest {GONE} does not exist"),
        (f"app:2.0.0@{GONE}", f"the tag '2.0.0' does not exist and the digest {GONE} does not exist"),
    ],
)
def test_not_found_names_what_does_not_exist(
    check: Check, server: RegistryServer, reference: str, message: str
) -> None:
    put_image(server, "app", "1.2.3")
    check.write(dockerfile=f"FROM HOST/{reference}\n")
    ran = check()
    assert (ran.code, ran.codes()) == (1, ["IMG602"]), ran.err
    assert message in ran.out


def test_not_found_of_a_tag_that_is_gone_and_pinned(check: Check, server: RegistryServer) -> None:
    image = put_image(server, "app", "1.2.3")
    del server.repositories["app"].tags["1.2.3"]
    check.write(dockerfile=f"FROM HOST/app:1.2.3@{image.digest}\n")
    assert check.codes() == ["IMG602"]


def test_drift_to_another_image_from_a_digest_that_is_gone_is_both(check: Check, server: RegistryServer) -> None:
    put_image(server, "app", "1.2.3")
    check.write(dockerfile=f"FROM HOST/app:1.2.3@{GONE}\n")
    assert check.codes() == ["IMG601", "IMG602"]


def children(server: RegistryServer, index: Image) -> list[str]:
    return [one["digest"] for one in json.loads(server.repositories["app"].manifests[index.digest][1])["manifests"]]


def test_platform_pin_has_no_drift_while_the_index_lists_it(check: Check, server: RegistryServer) -> None:
    index = put_index(server, "app", "1.2.3")
    check.write(dockerfile=f"FROM HOST/app:1.2.3@{children(server, index)[0]}\n")
    assert check.codes() == ["IMG604"]


def test_platform_pin_of_an_older_index_is_drift_too(check: Check, server: RegistryServer) -> None:
    old = put_index(server, "app", "1.2.3", text="old")
    put_index(server, "app", "1.2.3", text="new")
    check.write(dockerfile=f"FROM HOST/app:1.2.3@{children(server, old)[0]}\n")
    assert check.codes() == ["IMG601", "IMG604"]


def test_outdated_goes_by_the_update_settings(check: Check, server: RegistryServer) -> None:
    for tag in ("1.2.3", "1.3.0", "2.0.0"):
        put_image(server, "app", tag, text=tag)
    check.write(dockerfile="FROM HOST/app:1.2.3\n")
    ran = check()
    assert (ran.code, ran.codes(), "1.3.0 is available" in ran.out) == (1, ["IMG603"], True)
    check.write(settings='[update]\nto = "major"\n')
    assert "2.0.0 is available" in check().out
    check.write(settings='[update]\nto = "digest"\n')
    assert check().code == 0
    check.write(settings='[update]\n[[update.images]]\nimage = "HOST/app"\nto = "patch"\n')
    assert check().code == 0


def test_without_online_nothing_is_asked(capsys: pytest.CaptureFixture[str], check: Check) -> None:
    check.write(dockerfile="# imgref: ignore[IMG601] later\nFROM HOST/app:1.2.3\n", settings='[check]\nselect=["IMG6"]')
    ran = run(capsys, "check")
    assert (ran.code, ran.out, check.server.seen) == (0, "", [])


def test_online_adds_its_rules_to_those_that_the_settings_select(check: Check) -> None:
    check.write(dockerfile="FROM HOST/app:1.2.3\n", settings='[check]\nselect=["IMG101"]\n')
    assert check.codes() == ["IMG602"]
    check.write(settings='[check]\nselect=["IMG101"]\nignore=["IMG602"]\n')
    assert check.codes() == []
    assert check.codes("--select", "IMG101") == []


@pytest.mark.parametrize("selected", ["IMG6", "IMG601", "IMG101,IMG603"])
def test_selecting_online_rules_without_online_is_a_usage_error(
    selected: str, capsys: pytest.CaptureFixture[str], tree: Path
) -> None:
    ran = run(capsys, "check", "--select", selected)
    assert (ran.code, ran.out) == (2, "")
    assert "add --online" in ran.err
    assert run(capsys, "check", "--online", "--show-references").code == 2


def test_a_registry_that_fails_is_3_and_the_rest_is_reported(check: Check, server: RegistryServer) -> None:
    put_image(server, "app", "1.2.3")
    server.add(status(403), path="/v2/dead", times=ALWAYS)
    check.write(dockerfile="FROM HOST/app:9.9.9\nFROM HOST/dead:1.0.0\nFROM HOST/app\n")
    ran = check()
    assert (ran.code, ran.codes()) == (3, ["IMG602", "IMG101", "IMG602"])
    assert f"{server.host}/dead:1.0.0" in ran.err
    assert check("--exit-zero").code == 3


@pytest.mark.parametrize("code", sorted(ONLINE))
def test_no_rule_passes_an_image_that_could_not_be_asked_for(check: Check, server: RegistryServer, code: str) -> None:
    server.add(status(403), path="/v2/app", times=ALWAYS)
    check.write(dockerfile=f"FROM HOST/app:1.0.0@{GONE}\n")
    ran = check("--select", code)
    assert (ran.code, ran.out) == (3, ""), ran.err


def test_the_digest_is_not_known_where_only_the_tag_could_be_asked_for(check: Check, server: RegistryServer) -> None:
    put_index(server, "app", "1.0.0")
    server.add(status(403), path="/manifests/sha256", times=ALWAYS)
    check.write(dockerfile=f"FROM HOST/app:1.0.0@{GONE}\n")
    for code in ("IMG601", "IMG602", "IMG604"):
        assert (check("--select", code).code, code) == (3, code)
    assert check("--select", "IMG603").code == 0


def test_an_image_is_asked_for_once_however_often_it_is_used(check: Check, server: RegistryServer) -> None:
    put_image(server, "app", "1.2.3")
    check.write(
        dockerfile="FROM HOST/app:1.2.3\n" * 5,
        compose="services: {a: {image: 'HOST/app:1.2.3'}, b: {image: HOST/app:1.2.3}}",
    )
    assert check().code == 0
    assert (server.count("HEAD", "/manifests/"), server.count("GET", "/tags/list")) == (1, 1)
    assert server.count("GET", "/manifests/") == 0


def test_excepted_and_ignored_files_are_not_asked_for(check: Check, server: RegistryServer) -> None:
    check.write(
        dockerfile="FROM HOST/app:1.2.3\n",
        compose="services: {a: {image: 'HOST/other:1.0.0'}}\n",
        settings='[check.per-file-ignores]\n"Dockerfile" = ["IMG6"]\n'
        '[[check.exceptions]]\nimage = "HOST/other"\nrules = ["IMG6"]\nreason = "not pushed yet"\n',
    )
    ran = check()
    assert (ran.code, ran.out, server.seen) == (0, "", [])


def test_keep_comment_keeps_all_but_what_cannot_be_pulled(check: Check, server: RegistryServer) -> None:
    put_image(server, "app", "1.3.0", text="newer")
    old = put_image(server, "app", "1.2.3", text="old")
    put_image(server, "app", "1.2.3", text="new")
    check.write(
        dockerfile=f"# imgref: keep tested\nFROM HOST/app:1.2.3@{old.digest}\n"
        "# imgref: keep this too\nFROM HOST/app:1.1.0\n"
    )
    assert check.codes() == ["IMG602"]


def test_ignore_comment_is_unused_only_if_the_registry_answered(check: Check, server: RegistryServer) -> None:
    put_image(server, "app", "1.2.3")
    check.write(dockerfile="# imgref: ignore[IMG602] pushed later\nFROM HOST/app:1.2.3\n")
    assert check.codes() == ["IMG902"]
    check.write(dockerfile="# imgref: ignore[IMG602] pushed later\nFROM HOST/app:2\n")
    assert check.codes() == []
    server.add(status(403), path="/v2/app", times=ALWAYS)
    ran = check()
    assert (ran.code, ran.out) == (3, "")


def test_baseline_keeps_what_could_not_be_asked_for(
    check: Check, server: RegistryServer, capsys: pytest.CaptureFixture[str]
) -> None:
    put_image(server, "app", "1.2.3")
    check.write(dockerfile="FROM HOST/app:1.0.0\n")
    assert check("--write-baseline", "baseline.json").code == 0
    assert check("--baseline", "baseline.json").code == 0
    known = (check.tree / "baseline.json").read_text()
    # Neither a check without registries nor one in vain knows anything of what was found.
    assert run(capsys, "check", "--write-baseline", "baseline.json").code == 0
    assert (check.tree / "baseline.json").read_text() == known
    server.add(status(403), path="/v2/app", times=ALWAYS)
    assert check("--write-baseline", "baseline.json").code == 3
    assert (check.tree / "baseline.json").read_text() == known


def test_enforce_asks_with_the_policy_that_nothing_weakens(check: Check, server: RegistryServer) -> None:
    put_image(server, "app", "1.2.3")
    check.write(dockerfile="# imgref: keep it\nFROM HOST/app:1.0.0\n", policy='[check]\nselect=["IMG101"]\n')
    assert "IMG602" in check.codes("--enforce", "policy")


def test_sarif_and_json_have_the_online_findings(check: Check) -> None:
    check.write(dockerfile="FROM HOST/app:1.2.3\n")
    log = check("--format", "sarif").data["runs"][0]
    assert [(one["ruleId"], one["level"]) for one in log["results"]] == [("IMG602", "error")]
    assert {one["id"] for one in log["tool"]["driver"]["rules"]} >= ONLINE
    assert [one["code"] for one in check("--format", "json").data] == ["IMG602"]


@pytest.mark.parametrize("code", sorted(ONLINE))
def test_examples_of_the_page_print_what_it_shows(
    code: str, check: Check, server: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = put_index(server, "library/nginx", "1.27", text="old")
    child = next(digest for digest in server.repositories["library/nginx"].manifests if digest != old.digest)
    put_image(server, "library/nginx", "1.25.3", text="past")
    for tag in ("1.27", "1.27.3"):
        put_index(server, "library/nginx", tag, text="new")
    conf = tmp_path / "registries.conf"
    conf.write_text(f'[[registry]]\nprefix = "docker.io"\nlocation = "{server.host}"\ninsecure = true\n')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(conf))
    page = RULES[code].page
    digest = page.bad.text.strip().rpartition("@")[2]
    pinned = child if code == "IMG604" else old.digest
    check.write(dockerfile=page.bad.text.replace(digest, pinned) if "sha256" in digest else page.bad.text)
    assert code in check.codes()
    check.write(dockerfile=page.good.text)
    assert check.codes() == []
