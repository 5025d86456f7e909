"""``imgref digest`` and ``imgref inspect`` of several references."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from e2e.images import Image, put_image, put_index
from faults import status
from registry.kit import ALWAYS
from registry.server import RegistryServer, run_server
from vectors import imgref


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with run_server() as server:
        yield server


SETTINGS = {
    "User": "1000:1000",
    "Env": ["PATH=/usr/bin", "DATABASE=postgres://ada:s3cret@db.example/app"],
    "Entrypoint": ["/entry.sh", "--with space"],
    "Cmd": ["serve"],
    "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
    "Volumes": {"/data": {}},
    "WorkingDir": "/srv",
    "StopSignal": "SIGQUIT",
    "Labels": {"org.opencontainers.image.base.name": "docker.io/library/debian:12", "org.example.text": "x"},
}


def put(server: RegistryServer, tag: str = "1.0") -> Image:
    return put_image(server, "app", tag, text=tag, more={"created": "2024-01-31T10:00:00Z", "config": SETTINGS})


def test_digest_of_several_references_prints_one_line_each_in_their_order(server: RegistryServer) -> None:
    images = {tag: put(server, tag) for tag in ("1.0", "2.0", "3.0")}
    refs = [f"{server.host}/app:{tag}" for tag in ("3.0", "1.0", "2.0")]
    done = imgref("digest", *refs)
    assert (done.exit, done.stdout.split()) == (0, [images[tag].digest for tag in ("3.0", "1.0", "2.0")])
    pinned = imgref("digest", "--pin", *refs).stdout.split()
    assert pinned == [f"{ref}@{images[ref.rpartition(':')[2]].digest}" for ref in refs]


def test_digest_prints_the_others_if_one_fails_and_exits_with_the_worst_code(server: RegistryServer) -> None:
    image = put(server)
    good, missing = f"{server.host}/app:1.0", f"{server.host}/app:9"
    done = imgref("digest", missing, good)
    assert (done.exit, done.stdout) == (4, f"{image.digest}\n")
    assert done.stderr == f"error: {missing}: no such tag\n"
    server.add(status(401, b"{}"), path="/private/", times=ALWAYS)
    for refs in ([f"{server.host}/private/app", missing, good], [missing, good, f"{server.host}/private/app"]):
        done = imgref("digest", *refs)
        assert (done.exit, done.stdout, done.stderr.count("error:")) == (3, f"{image.digest}\n", 2)


@pytest.mark.parametrize("command", ["digest", "inspect"])
def test_invalid_reference_among_several_stops_before_the_first_request(command: str, server: RegistryServer) -> None:
    put(server)
    done = imgref(command, f"{server.host}/app:1.0", "Acme/App")
    assert (done.exit, done.stdout, server.seen) == (2, "", [])
    assert imgref(command).exit == 2


def test_inspect_prints_the_configuration_for_people(server: RegistryServer) -> None:
    put(server)
    done = imgref("inspect", f"{server.host}/app:1.0")
    rows = [line.split(None, 1) for line in done.stdout.splitlines() if line.strip()]
    assert ["user", "1000:1000"] in rows
    text = " ".join(done.stdout.split())
    for shown in (
        "base image docker.io/library/debian:12", "created 2024-01-31T10:00:00Z", "working dir /srv",
        'entrypoint ["/entry.sh", "--with space"]', 'command ["serve"]', "exposed ports 53/udp, 8080/tcp",
        "volumes /data", "stop signal SIGQUIT", "env PATH=/usr/bin", "label org.example.text=x",
    ):  # fmt: skip
        assert shown in text
    assert "s3cret" not in done.stdout
    assert "env DATABASE=postgres://***@db.example/app" in text


def test_inspect_json_is_complete_and_masked(server: RegistryServer) -> None:
    put(server)
    done = imgref("inspect", f"{server.host}/app:1.0", "--format", "json")
    fields = json.loads(done.stdout)
    assert "s3cret" not in done.stdout
    assert {key: fields[key] for key in ("user", "working_dir", "entrypoint", "command", "stop_signal")} == {
        "user": "1000:1000", "working_dir": "/srv", "entrypoint": ["/entry.sh", "--with space"], "command": ["serve"],
        "stop_signal": "SIGQUIT",
    }  # fmt: skip
    assert fields["env"] == ["PATH=/usr/bin", "DATABASE=postgres://***@db.example/app"]
    assert (fields["exposed_ports"], fields["volumes"]) == (["53/udp", "8080/tcp"], ["/data"])
    assert fields["base_image"] == {"name": "docker.io/library/debian:12"}
    assert fields["labels"] == SETTINGS["Labels"]
    assert (fields["created"], fields["platform"]) == ("2024-01-31T10:00:00Z", "linux/amd64")
    assert fields["configuration"]["rootfs"]["type"] == "layers"
    assert fields["answered_by"] == server.host


def test_inspect_takes_the_base_image_from_annotations_before_labels(server: RegistryServer) -> None:
    image = put(server)
    document = json.loads(image.raw)
    name, digest = "docker.io/library/alpine:3.20", "sha256:" + 64 * "1"
    base = "org.opencontainers.image.base"
    document["annotations"] = {f"{base}.name": name, f"{base}.digest": digest}
    server.put_manifest("app", "2.0", json.dumps(document).encode(), image.media_type)
    fields = json.loads(imgref("inspect", f"{server.host}/app:2.0", "--format", "json").stdout)
    assert fields["base_image"] == {"name": name, "digest": digest}
    assert f"base image {name}@{digest}" in " ".join(imgref("inspect", f"{server.host}/app:2.0").stdout.split())


def test_inspect_of_several_references_prints_an_object_a_line(server: RegistryServer) -> None:
    put(server)
    put_index(server, "app", "2.0")
    refs = [f"{server.host}/app:{tag}" for tag in ("2.0", "9", "1.0")]
    done = imgref("inspect", *refs, "--format", "json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["reference"] for line in lines] == [refs[0], refs[2]]
    assert done.exit == 4
    both = imgref("inspect", *refs[::2]).stdout
    assert both.count("media type") == 3
    assert "\n\nreference" in both
    chosen = imgref("inspect", refs[0], "--platform", "linux/arm64", "--format", "json")
    assert json.loads(chosen.stdout)["platform"] == "linux/arm64"


def test_inspect_of_odd_configurations_never_fails(server: RegistryServer) -> None:
    odd: list[dict[str, object]] = [
        {"config": None},
        {"config": []},
        {"config": {"Env": "x", "Cmd": {}, "Labels": [], "User": 1, "ExposedPorts": [], "Volumes": None}},
        {"os": 1, "created": 5},
        {"config": {"Env": [1, None, "A=b"], "Labels": {"a": None}}},
    ]
    for number, more in enumerate(odd):
        put_image(server, "app", f"1.{number}", text=str(number), more=more)
        for style in ("table", "json"):
            done = imgref("inspect", f"{server.host}/app:1.{number}", "--format", style)
            assert (done.exit, done.stderr) == (0, "")


def test_inspect_raw_of_several_references_is_bad_usage(server: RegistryServer) -> None:
    put(server)
    ref = f"{server.host}/app:1.0"
    done = imgref("inspect", "--raw", ref, ref)
    assert (done.exit, done.stdout) == (2, "")
    assert "--raw prints the bytes of one manifest" in done.stderr
