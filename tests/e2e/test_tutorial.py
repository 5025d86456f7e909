"""The tutorial, run as it stands there, with a real engine and a real registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from e2e.commands import Home
from e2e.engine import REGISTRY, run_engine, with_imgref

pytestmark = pytest.mark.e2e

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"


def steps() -> list[tuple[str, str]]:
    """Return each command of the tutorial with the output that it shows."""
    found: list[tuple[list[str], list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(([line[2:]], []))
            elif line.startswith("> "):
                found[-1][0].append(line[2:])
            else:
                found[-1][1].append(line)
    return [("\n".join(command), "\n".join(output)) for command, output in found]


def shape(text: str) -> list[str]:
    """Return the lines without what differs from run to run: ids, digests, sizes, and the order of layers."""
    text = re.sub(r"sha256:(?:[0-9a-f]{64}|…)", "sha256:…", text)
    text = re.sub(r"size: \d+", "size: N", text)
    text = re.sub(r"^[0-9a-f]{12}: ", "ID: ", text, flags=re.MULTILINE)
    lines = text.splitlines()
    layers = sorted(line for line in lines if line.startswith("ID: "))
    return [layers.pop(0) if line.startswith("ID: ") else line for line in lines]


def test_the_tutorial_is_true(home: Home) -> None:
    del with_imgref(home).environ["IMGREF_INSECURE_REGISTRIES"]
    done = steps()
    assert len(done) > 20
    with run_engine(home.environ) as engine:
        for command, output in done:
            code, text = engine.run(command)
            assert code == 0, f"{command}\n{text}"
            assert shape(text) == shape(output), command
            if command.startswith("docker-registry"):
                engine.await_registry()


def test_push_prints_what_docker_prints(home: Home) -> None:
    """The same image, pushed by both: the same ids with the same words, whether new, there or mounted."""
    with run_engine(with_imgref(home).environ) as engine:
        engine.start_registry()
        engine.good("head -c 300000 /dev/urandom > big; echo small > small; mkdir empty")
        engine.good(
            "printf 'FROM scratch\\nCOPY big /\\nCOPY small /\\n' > base.df; docker build -q -t base -f base.df ."
        )
        recipe = "FROM base\\nCOPY small /other\\nWORKDIR /x\\nWORKDIR /x\\nENV A=b\\nCOPY small /x/"
        engine.good(f"printf '{recipe}' > app.df; docker build -q -t app -f app.df .")
        # Two images in one tar: the layers of the second that the first has are links.
        engine.good("docker save -o both.tar base app")
        assert any(" -> " in line for line in engine.good("tar tvf both.tar"))
        said: dict[str, list[list[str]]] = {"docker": [], "imgref": []}
        for image, tag in (("base", "1"), ("base", "2"), ("app", "1"), ("app", "2")):
            for tool in said:
                reference = f"{REGISTRY}/{tool}/{image}:{tag}"
                engine.good(f"docker tag {image} {reference}")
                push = (
                    f"docker push {reference}"
                    if tool == "docker"
                    else f"imgref push both.tar --image {image} {reference}"
                )
                lines = engine.good(push)
                assert lines[0] == f"The push refers to repository [{REGISTRY}/{tool}/{image}]"
                assert re.fullmatch(rf"{tag}: digest: sha256:[0-9a-f]{{64}} size: \d+", lines[-1])
                passing = (": Preparing", ": Waiting")
                layers = [line.replace(f"{tool}/", "") for line in lines[1:-1] if not line.endswith(passing)]
                said[tool].append(sorted(layers))
        assert said["imgref"] == said["docker"]
        assert any("Mounted from base" in line for line in said["imgref"][2])
        # And the engine takes back what imgref pushed, and what it pulled.
        for image in ("base", "app"):
            built = engine.good(f"docker inspect -f '{{{{.Id}}}}' {image}")
            reference = f"{REGISTRY}/imgref/{image}:1"
            engine.good(f"docker rmi {reference}; docker pull -q {reference}")
            assert engine.good(f"docker inspect -f '{{{{.Id}}}}' {reference}") == built
            for target in ("pulled.tar", "pulled"):
                engine.good(f"imgref pull {reference} {target}; docker rmi {reference}")
                packed = "cat pulled.tar" if target == "pulled.tar" else "tar c -C pulled ."
                assert engine.good(f"{packed} | docker load -q") == [f"Loaded image: {reference}"]
                assert engine.good(f"docker inspect -f '{{{{.Id}}}}' {reference}") == built
                engine.good(f"rm -r {target}")
