"""Images of several builders, joined into one index; skopeo and dockerd are the witnesses."""

from __future__ import annotations

import json

import pytest
from e2e.commands import Home
from e2e.engine import REGISTRY, run_engine, with_imgref
from e2e.images import DOCKER, digest_of, put_attested, put_image
from e2e.servers import Registry
from e2e.test_release import Unique, tags_of
from e2e.test_transfer import good, raw_manifest, skopeo
from images import layer_tar, oci_image, oci_layout, write_directory, write_tar

pytestmark = pytest.mark.e2e


def layouts(home: Home) -> tuple[str, str]:
    """Write a layout for arm64 and a tar for s390x, and return their paths."""
    arm = oci_image([layer_tar(b"base"), layer_tar(b"arm")], architecture="arm64", variant="v8")
    mainframe = oci_image([layer_tar(b"base"), layer_tar(b"z")], architecture="s390x")
    work = home.path / "work"
    return (
        write_directory(work / "arm64", oci_layout({"v1": arm})),
        write_tar(work / "s390x.tar", oci_layout({"v1": mainframe})),
    )


def check_children(plain: Registry, path: str, tag: str, expected: list[str]) -> dict[str, object]:
    """Return the index, whose children skopeo reads byte for byte."""
    raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{plain.host}/{path}:{tag}").encode()
    assert raw == raw_manifest(plain, path, tag)
    index: dict[str, object] = json.loads(raw)
    platforms = []
    for entry in json.loads(raw)["manifests"]:
        child = f"docker://{plain.host}/{path}@{entry['digest']}"
        text = skopeo("inspect", "--raw", "--tls-verify=false", child)
        assert len(text.encode()) == entry["size"]
        platforms.append(entry["platform"]["architecture"])
    assert platforms == expected
    return index


def test_index_create_joins_a_layout_a_tar_a_tag_and_a_digest(plain: Registry, home: Home, unique: Unique) -> None:
    path, other = unique("app"), unique("other")
    layout, tar = layouts(home)
    tagged = put_image(plain, other, "amd64", DOCKER)
    digest = put_image(plain, path, None, architecture="riscv64").digest
    command = ("index", "create", f"{plain.host}/{path}:1", layout, tar, f"{plain.host}/{other}:amd64", digest)
    good(home.imgref(*command, "--annotation", "org.example.a=b=c"))
    index = check_children(plain, path, "1", ["arm64", "s390x", "amd64", "riscv64"])
    assert index["annotations"] == {"org.example.a": "b=c"}
    assert raw_manifest(plain, path, tagged.digest) == tagged.raw
    before = tags_of(plain, path)
    good(home.imgref(*command, "--annotation", "org.example.a=b=c"))
    assert tags_of(plain, path) == before
    target = home.path / "work" / "copied"
    skopeo("copy", "--all", "--src-tls-verify=false", f"docker://{plain.host}/{path}:1", f"dir:{target}")
    assert (target / "manifest.json").read_bytes() == raw_manifest(plain, path, "1")


def test_index_create_of_two_images_for_one_platform_is_an_error(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    one, two = put_image(plain, path, "one", text="one"), put_image(plain, path, "two", text="two")
    names = [f"{plain.host}/{path}:{tag}" for tag in ("new", "one", "two")]
    ran = home.imgref("index", "create", *names)
    assert (ran.code, ran.out) == (2, "")
    assert f"two images for linux/amd64, {one.digest} and {two.digest}" in ran.err
    assert set(tags_of(plain, path)) == {"one", "two"}


def test_release_joins_images_and_sets_the_tags_of_the_plan(plain: Registry, home: Home, unique: Unique) -> None:
    path, builds = unique("app"), unique("builds")
    layout, _ = layouts(home)
    put_image(plain, builds, "amd64")
    command = ("release", layout, f"{plain.host}/{builds}:amd64", "1.2.3", "--image", f"{plain.host}/{path}")
    ran = home.imgref(*command, "--dry-run")
    assert ran.code == 0, ran.err
    assert tags_of(plain, path) == {}
    lines = good(home.imgref(*command))
    check_children(plain, path, "1.2.3", ["arm64", "amd64"])
    assert set(tags_of(plain, path)) == {"1.2.3", "1.2", "1", "latest"}
    assert len(set(tags_of(plain, path).values())) == 1
    assert lines[0].startswith("1.2.3: created sha256:")
    assert good(home.imgref(*command))[0].startswith("1.2.3: unchanged sha256:")


def test_release_of_one_image_keeps_its_digest_unless_it_gets_annotations(
    plain: Registry, home: Home, unique: Unique
) -> None:
    path, builds = unique("app"), unique("builds")
    image = put_image(plain, builds, "1")
    command = ("release", f"{plain.host}/{builds}:1", "1.0.0", "--image", f"{plain.host}/{path}")
    good(home.imgref(*command))
    assert tags_of(plain, path)["1.0.0"] == image.digest
    good(home.imgref(*command, "--annotation", "a=b", "--force-exact"))
    assert check_children(plain, path, "1.0.0", ["amd64"])["annotations"] == {"a": "b"}


def test_release_adds_the_labels_of_the_build_to_the_index(plain: Registry, home: Home, unique: Unique) -> None:
    path, builds = unique("app"), unique("builds")
    layout, _ = layouts(home)
    put_image(plain, builds, "amd64")
    name = "org.opencontainers.image."
    settings = '[tags.annotations]\n"index:org.example.team" = "core"\n"manifest:org.example.no" = "x"\n'
    (home.path / "work" / ".imgref.toml").write_text(settings)
    ci = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/tags/v1.2.3"}
    ci |= {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/app", "GITHUB_SHA": "5" * 40}
    home.environ.update(ci)
    command = ["release", layout, f"{plain.host}/{builds}:amd64", "--ci", "--image", f"{plain.host}/{path}", "--labels"]
    lines = good(home.imgref(*command, f"--annotation={name}title=Mine"))
    index = check_children(plain, path, "1.2.3", ["arm64", "amd64"])
    assert index["annotations"] == {
        f"{name}ref.name": "1.2.3",
        f"{name}revision": "5" * 40,
        f"{name}source": "https://github.com/acme/app",
        f"{name}title": "Mine",
        f"{name}version": "1.2.3",
        "org.example.team": "core",
    }
    # The same images become the same index, so that the release can be repeated.
    again = good(home.imgref(*command, f"--annotation={name}title=Mine"))
    assert (lines[0].split()[1], again[0].split()[1]) == ("created", "unchanged")
    home.environ["SOURCE_DATE_EPOCH"] = "0"
    good(home.imgref(*command, "--force-exact"))
    index = check_children(plain, path, "1.2.3", ["arm64", "amd64"])
    assert f'{name}created": "1970-01-01T00:00:00Z"' in json.dumps(index)


def test_release_of_one_index_keeps_its_digest(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    layout, tar = layouts(home)
    good(home.imgref("index", "create", f"{plain.host}/{path}-builds:1", layout, tar))
    good(home.imgref("release", f"{plain.host}/{path}-builds:1", "1.0.0", "--image", f"{plain.host}/{path}"))
    assert tags_of(plain, path)["1.0.0"] == tags_of(plain, f"{path}-builds")["1"]


@pytest.mark.parametrize("kind", ["tags", "layouts", "tars"])
def test_release_of_several_images_keeps_the_attestations_of_each(
    kind: str, plain: Registry, home: Home, unique: Unique
) -> None:
    path, builds = unique("app"), unique("builds")
    made = {name: put_attested(plain, builds, name, name) for name in ("amd64", "arm64", "s390x")}
    sources = [f"{plain.host}/{builds}:{name}" for name in made]
    if kind != "tags":
        files = [name + (".tar" if kind == "tars" else "") for name in made]
        for source, file in zip(sources, files, strict=True):
            good(home.imgref("pull", "--quiet", source, file))
        sources = [f"./{file}" for file in files]
    good(home.imgref("release", *sources, "1.2.3", "--image", f"{plain.host}/{path}"))
    index = check_children(plain, path, "1.2.3", ["amd64", "unknown", "arm64", "unknown", "s390x", "unknown"])
    assert len(set(tags_of(plain, path).values())) == 1
    entries = iter(json.loads(json.dumps(index))["manifests"])
    for image, attestation in made.values():
        assert next(entries)["digest"] == image.digest
        entry = next(entries)
        assert entry["digest"] == attestation.digest
        marks = {"vnd.docker.reference.digest": image.digest, "vnd.docker.reference.type": "attestation-manifest"}
        assert entry["annotations"] == marks
        for each in (image, attestation):
            assert raw_manifest(plain, path, each.digest) == each.raw
        for statement in json.loads(attestation.raw)["layers"]:
            status, _, body = plain.request("GET", f"/v2/{path}/blobs/{statement['digest']}")
            assert (status, digest_of(body)) == (200, statement["digest"])
            assert json.loads(body)["subject"][0]["digest"] == {"sha256": image.digest.removeprefix("sha256:")}
    target = home.path / "work" / "copied"
    skopeo("copy", "--all", "--src-tls-verify=false", f"docker://{plain.host}/{path}:1.2.3", f"dir:{target}")
    assert (target / "manifest.json").read_bytes() == raw_manifest(plain, path, "1.2.3")


def test_platforms_of_a_joined_release_are_those_of_its_images(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    (first, _), (second, _) = (put_attested(plain, path, name, name) for name in ("amd64", "arm64"))
    names = [f"{plain.host}/{path}:{name}" for name in ("new", "amd64", "arm64")]
    good(home.imgref("index", "create", *names))
    for image in (first, second):
        found = home.imgref("digest", names[0], "--platform", f"linux/{image.architecture}")
        assert good(found) == [image.digest]
    again = put_image(plain, path, "again", text="again")
    ran = home.imgref("index", "create", *names, f"{plain.host}/{path}:again")
    assert (ran.code, ran.out) == (2, "")
    assert f"two images for linux/amd64, {first.digest} and {again.digest}" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["release", "app:1", "app:2", "1.0.0"], "several images need --image REPO"),
        (["release", "app:1", "1.0.0", "--annotation", "a=b"], "--annotation goes with --image"),
        (["release", "app:1", "1.0.0", "--labels"], "--labels goes with --image"),
        (["release", "app:1", "app:2", "1.0.0", "--image", "app", "--pick", "x"], "--pick goes with a single image"),
        (["release", "app:1"], "no VERSION given"),
        (["release", "missing", "1.0.0", "--image", "localhost:1/app"], "there is no such file, and an image on a"),
        (["release", "./missing.tar", "1.0.0", "--image", "localhost:1/app"], "there is no such file or directory"),
        (["index", "create", "localhost:1/app:1"], "no IMAGE is given"),
        (["index", "create", "localhost:1/app:1", "x", "--annotation", "a"], "--annotation 'a' is not KEY=VALUE"),
        (["index", "create", "localhost:1/app:1", "x", "--annotation=a=1", "--annotation=a=2"], "a is given twice"),
        (["index", "create", "localhost:1/app@sha256:" + 64 * "0", "x"], "the index gets a tag, not a digest"),
        (["index", "make", "localhost:1/app:1", "x"], "no such subcommand 'make'; the only one is create"),
    ],
)
def test_bad_usage(arguments: list[str], said: str, home: Home) -> None:
    ran = home.imgref(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_dockerd_pulls_what_was_joined(home: Home) -> None:
    layouts(home)
    with run_engine(with_imgref(home).environ) as engine:
        engine.start_registry()
        engine.good("echo amd64 > file; printf 'FROM scratch\\nCOPY file /\\n' > df; docker build -q -t app -f df .")
        engine.good("docker save -o app.tar app")
        work = home.path / "work"
        (digest,) = engine.good(
            f"imgref index create --quiet {REGISTRY}/app:1 {work}/arm64 app.tar {work}/s390x.tar --annotation a=b"
        )
        engine.good(f"docker rmi app; docker pull {REGISTRY}/app:1")
        (found,) = engine.good(f"docker image inspect --format '{{{{index .RepoDigests 0}}}}' {REGISTRY}/app:1")
        assert found == f"{REGISTRY}/app@{digest}"
        engine.good(f"docker pull --platform linux/arm64 {REGISTRY}/app:1")
