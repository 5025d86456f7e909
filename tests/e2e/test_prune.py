"""``imgref prune`` on docker-registry, whose garbage collection runs afterwards: what stays can be pulled whole."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from e2e.commands import Home, Ran
from e2e.fault_proxy import Action, Exchange, lost, run_fault_proxy, status
from e2e.images import DOCKER, OCI, Image, digest_of, put_image
from e2e.servers import Registry, require, run_registry
from e2e.test_release import Unique

pytestmark = pytest.mark.e2e

_ACCEPT = {"Accept": ", ".join((OCI["index"], OCI["manifest"], DOCKER["index"], DOCKER["manifest"]))}


@pytest.fixture(scope="module")
def disposable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry of its own, which garbage collection may clean up."""
    with run_registry(tmp_path_factory.mktemp("prune")) as registry:
        yield registry


def collect_garbage(registry: Registry) -> None:
    config = registry.log.parent / "config.yml"
    subprocess.run(
        [require("docker-registry"), "garbage-collect", str(config)], check=True, capture_output=True, timeout=60
    )


@dataclass
class Repository:
    """A repository with images, indexes that share them, referrers, and tags on some of them."""

    registry: Registry
    path: str
    images: list[Image] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.registry.host}/{self.path}"

    def tag(self, name: str, image: Image) -> None:
        self.registry.put_manifest(self.path, name, image.raw, image.media_type)
        self.tags[name] = image.digest

    def put(self, document: dict[str, object], media_type: str) -> Image:
        image = Image(json.dumps({"schemaVersion": 2, "mediaType": media_type, **document}).encode(), media_type)
        self.registry.put_manifest(self.path, image.digest, image.raw, media_type)
        self.images.append(image)
        return image

    def put_image(self, text: str, types: dict[str, str] = OCI) -> Image:
        self.images.append(put_image(self.registry, self.path, None, types, text=text))
        return self.images[-1]

    def put_index(self, children: list[Image], types: dict[str, str] = OCI) -> Image:
        return self.put({"manifests": [descriptor(child) for child in children]}, types["index"])

    def put_referrer(self, subject: Image) -> Image:
        """Put a referrer, and the index of referrers, which docker-registry does not keep itself."""
        config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}
        self.registry.put_blob(self.path, b"{}")
        referrer = self.put(
            {
                "config": config,
                "layers": [config],
                "subject": descriptor(subject),
                "annotations": {"n": subject.digest},
            },
            OCI["manifest"],
        )
        self.tag(attached(subject), self.put_index([referrer]))
        return referrer

    def get(self, point: str) -> tuple[int, dict[str, Any]]:
        code, _, body = self.registry.request("GET", f"/v2/{self.path}/manifests/{point}", headers=_ACCEPT)
        return code, json.loads(body)

    def check_whole(self, point: str) -> None:
        """Pull a manifest with its children and blobs."""
        code, document = self.get(point)
        assert code == 200, point
        for child in document.get("manifests", []):
            self.check_whole(child["digest"])
        for part in [document["config"], *document["layers"]] if "layers" in document else []:
            code, _, body = self.registry.request("GET", f"/v2/{self.path}/blobs/{part['digest']}")
            assert code == 200, part
            assert digest_of(body) == part["digest"]


def attached(image: Image, ending: str = "") -> str:
    return image.digest.replace(":", "-") + ending


def descriptor(image: Image) -> dict[str, object]:
    return {"mediaType": image.media_type, "digest": image.digest, "size": len(image.raw)}


def fill(repository: Repository, random: Random) -> None:
    """Put a random graph; documents name earlier ones only."""
    for number in range(random.randint(4, 7)):
        repository.put_image(f"{repository.path} {number}", random.choice([OCI, DOCKER]))
    for _ in range(random.randint(1, 4)):
        repository.put_index(random.sample(repository.images, random.randint(1, 3)))
    for _ in range(random.randint(0, 3)):
        repository.put_referrer(random.choice(repository.images))
    for image in random.sample(repository.images, 3):
        ending = random.choice([".sig", ".att", ".sbom"])
        repository.tag(attached(image, ending), repository.put_image(f"signature of {image.digest}"))
    repository.put_index(random.sample(repository.images, 3))
    names = [f"1.{minor}.{patch}" for minor in range(2) for patch in range(4)]
    for name in ["1.0", "1.1", "1", "latest", "main", "pr-1", "pr-2", "pr-30", "feature-x", "feature-y", *names]:
        if random.random() < 0.8:
            repository.tag(name, random.choice(repository.images))


def good(ran: Ran) -> Any:  # noqa: ANN401 - what the command prints as JSON
    assert ran.code == 0, ran.err
    return ran.json


@pytest.mark.parametrize("seed", range(6))
def test_prune_of_a_random_repository_leaves_every_kept_tag_whole(seed: int, disposable: Registry, home: Home) -> None:
    random = Random(seed)
    repository = Repository(disposable, f"prune/random-{seed}")
    fill(repository, random)
    rules = random.sample(["--keep=semver:2", "--pr-tags", "--tag=feature-*", "--tag=main", "--keep=semver:1"], 3)
    command = ("prune", repository.name, *rules, "--format", "json")
    planned = good(home.imgref(*command))
    assert sorted(tag for part in planned.values() for each in part for tag in each["tags"]) == sorted(repository.tags)
    done = good(home.imgref(*command, "--yes"))
    assert done == planned
    collect_garbage(disposable)
    for each in done["keep"]:
        for tag in each["tags"] or [each["digest"]]:
            repository.check_whole(tag)
            assert repository.tags.get(tag, each["digest"]) == each["digest"]
    for each in done["delete"]:
        for point in (each["digest"], *each["tags"]):
            assert repository.get(point)[0] == 404
    # A subject that stays has all its signatures, and nothing stays attached to one that is gone.
    kept = {each["digest"] for each in done["keep"]}
    for image in repository.images:
        for tag, digest in repository.tags.items():
            if tag.startswith(attached(image)) and image.digest in kept:
                assert digest in kept
    again = good(home.imgref(*command, "--yes"))
    assert again["delete"] == []


def three_pull_requests(registry: Registry, path: str) -> Repository:
    repository = Repository(registry, path)
    for number in range(3):
        children = [repository.put_image(f"{path} {number} {child}") for child in range(2)]
        repository.tag(f"pr-{number}", repository.put_index(children))
    repository.tag("latest", repository.put_index([*repository.images[:1], repository.put_image("latest")]))
    return repository


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("place", [0, 1, 4, 6])
@pytest.mark.parametrize("fault", [lost, status(405)], ids=["lost", "refused"])
def test_prune_interrupted_anywhere_breaks_nothing_and_can_be_repeated(
    fault: Action, place: int, disposable: Registry, home: Home, unique: Unique
) -> None:
    repository = three_pull_requests(disposable, unique("app"))
    with run_fault_proxy(disposable.host) as proxy:
        proxy.add(fault, "DELETE", after=place)
        proxied = repository.name.replace(disposable.host, proxy.host)
        for _ in range(2):
            ran = home.imgref("prune", proxied, "--pr-tags", "--yes")
            repository.check_whole("latest")
            assert ran.code in (0, 3), ran.err
        assert ran.code == 0, ran.err
    collect_garbage(disposable)
    repository.check_whole("latest")
    code, listed = repository.registry.request("GET", f"/v2/{repository.path}/tags/list")[::2]
    assert (code, json.loads(listed)["tags"]) == (200, ["latest"])


@pytest.mark.usefixtures("short_waits")
def test_prune_leaves_what_a_tag_moves_to_between_two_deletions(disposable: Registry, home: Home) -> None:
    repository = three_pull_requests(disposable, "prune/moving")
    with run_fault_proxy(disposable.host) as proxy:
        rescued: list[Image] = []

        def move(exchange: Exchange) -> None:
            answer = exchange.ask()
            gone = exchange.path.rpartition("/")[2]
            found = next(i for i in repository.images if i.media_type == OCI["index"] and i.digest != gone)
            rescued.append(found)
            repository.tag("main", found)
            exchange.give(answer)

        proxy.add(move, "DELETE")
        ran = home.imgref("prune", repository.name.replace(disposable.host, proxy.host), "--pr-tags", "--yes")
    assert ran.code == 0
    collect_garbage(disposable)
    for tag in ("main", "latest"):
        repository.check_whole(tag)
    assert "main points to it now" in ran.err
    assert rescued


def test_prune_on_a_registry_without_deletion_stops_at_the_first(tmp_path: Path, home: Home) -> None:
    with run_registry(tmp_path, deletes=False) as registry:
        repository = three_pull_requests(registry, "app")
        ran = home.imgref("prune", repository.name, "--pr-tags", "--yes", "--format", "json")
        assert ran.code == 3
        assert ran.json["delete"] == []
        assert len(ran.json["keep"]) == len(repository.images)
        assert "does not support deleting manifests, or it is disabled there" in ran.err
        for tag in repository.tags:
            repository.check_whole(tag)


def test_prune_with_credentials_and_tokens(registry: Registry, home: Home, unique: Unique) -> None:
    repository = Repository(registry, unique("app"))
    kept, gone = repository.put_image("kept"), repository.put_image("gone")
    repository.tag("main", kept)
    repository.tag("pr-1", gone)
    if registry.credentials:
        user, password = registry.credentials
        ran = home.imgref("login", registry.host, "-u", user, "--password-stdin", input=password)
        assert ran.code == 0, ran.err
    options = ["--cacert", str(registry.ca)] if registry.ca else []
    done = good(home.imgref("prune", repository.name, "--pr-tags", "--yes", "--format", "json", *options))
    assert [each["digest"] for each in done["delete"]] == [gone.digest]
    assert repository.get("pr-1")[0] == 404
    repository.check_whole("main")
