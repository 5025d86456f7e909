"""The release's image steps against a real registry, and the content of the image with nothing but Python around it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from check_trees import write_tree
from e2e.commands import Home
from e2e.engine import run_engine
from e2e.images import put_image
from e2e.servers import Registry
from images import layer_tar, oci_image, platforms_layout, write_tar

import imgref

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
RELEASE_FILES = {"CHANGELOG": "CHANGELOG.md", "PYPROJECT": "pyproject.toml", "DOCKERFILE": "Dockerfile"}
IMGREF = str(Path(sys.executable).with_name("imgref"))


def script(home: Home, name: str, *arguments: str, **environ: str) -> list[str]:
    settings = [f"{key}={value}" for key, value in environ.items()]
    path = f"PATH={Path(IMGREF).parent}:{os.environ['PATH']}"
    ran = home.run("env", path, *settings, str(ROOT / "scripts" / name), *arguments)
    assert ran.code == 0, ran.err
    return ran.out.splitlines()


def test_push_image_tags_all_platforms_and_can_run_again(
    plain: Registry, home: Home, unique: Callable[[str], str], tmp_path: Path
) -> None:
    images = {name: oci_image([layer_tar(name.encode())]) for name in ("linux/amd64", "linux/arm64")}
    files, _ = platforms_layout(images)
    tar = write_tar(tmp_path / "image.tar", files)
    repository = f"{plain.host}/{unique('imgref')}"
    output = tmp_path / "output"
    for _ in range(2):
        script(home, "push-image", tar, "unused", repository, "v1.2.3", IMGREF=IMGREF, GITHUB_OUTPUT=str(output))
    tags = home.imgref("ls", repository).out.split()
    assert set(tags) == {"1.2.3", "1.2", "1", "latest"}
    digest = home.imgref("digest", f"{repository}:latest").out.strip()
    assert output.read_text().splitlines() == [f"image={repository}", f"digest={digest}"] * 2


def test_action_release_publishes_the_version_of_the_git_tag(
    plain: Registry, home: Home, unique: Callable[[str], str]
) -> None:
    path = unique("app")
    image = put_image(plain, path, "build-1")
    lines = script(home, "action", "release", INPUT_RELEASE=f"{plain.host}/{path}:build-1", GITHUB_REF_NAME="v2.1.3")
    assert lines == [f"{tag}: created {image.digest}" for tag in ("2.1.3", "2.1", "2", "latest")]


def copy_libraries(root: Path, *programs: Path) -> None:
    listed = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    for library in {*re.findall(r"(?m)(?:=> |^\s)(/\S+) \(0x", listed)}:
        target = root / library.removeprefix("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)


def copy_python(root: Path) -> None:
    """Copy this Python, a shell and ``ls`` into a tree, which is all that the Dockerfile uses of its base image."""
    version = f"python3.{sys.version_info[1]}"
    python = Path(sys.base_prefix) / "bin" / version
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    ignored = shutil.ignore_patterns("site-packages", "dist-packages", "test", "__pycache__", "*.a", "config-*")
    shutil.copytree(library, root / str(library).removeprefix("/"), ignore=ignored)
    wheels = Path("/usr/share/python-wheels")  # where Debian keeps the pip of ensurepip
    if wheels.is_dir():
        shutil.copytree(wheels, root / "usr/share/python-wheels")
    programs = [python, *(Path(shutil.which(name) or name) for name in ("sh", "ls"))]
    for program in programs:
        inside = root / str(program).removeprefix("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, inside)
    for alias, program in (("bin/sh", programs[1]), ("bin/ls", programs[2]), ("usr/local/bin/python", python)):
        (root / alias).parent.mkdir(parents=True, exist_ok=True)
        if not (root / alias).exists():
            (root / alias).symlink_to(program)
    copy_libraries(root, *programs, *(library / "lib-dynload").glob("*.so"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheels of imgref and all that it needs."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--disable-pip-version-check",
        "--wheel-dir",
        str(folder),
    ]
    subprocess.run([*command, f"{ROOT}[all]"], check=True)
    return folder


def write_base_and_dist(folder: Path, wheels: Path) -> tuple[Path, Path]:
    """Return tar files of a base image with the dependencies as wheels, and of the context with imgref's wheel."""
    base, dist = folder / "base", folder / "dist"
    copy_python(base)
    dist.mkdir()
    shutil.copytree(wheels, base / "wheels", ignore=shutil.ignore_patterns("imgref-*"))
    (wheel,) = wheels.glob("imgref-*.whl")
    shutil.copy(wheel, dist)
    (base / "etc").mkdir(exist_ok=True)
    (base / "etc" / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    (base / "tmp").mkdir()
    for path in (base, *base.rglob("*")):
        if path.is_dir():
            path.chmod(path.stat().st_mode | 0o055)
    for tree in (base, dist):
        with tarfile.open(folder / f"{tree.name}.tar", "w") as tar:
            tar.add(tree, ".")
    return folder / "base.tar", folder / "dist.tar"


def test_the_image_is_built_and_checks_a_mounted_folder(home: Home, wheels: Path, tmp_path: Path) -> None:
    base, dist = write_base_and_dist(tmp_path, wheels)
    tree = tmp_path / "tree"
    write_tree(tree, {"Dockerfile": "FROM nginx\n", "compose.yaml": "services: {a: {image: 'x:1.2.3'}}\n"})
    tmp_path.chmod(0o755)
    with run_engine(home.environ) as engine:
        engine.good(f"docker import {base} python:3.13-slim; docker import {dist} dist:latest")
        engine.good(f"docker build --quiet --network none --tag imgref {ROOT}")
        code, printed = engine.run(f"docker run --rm --network none --volume {tree}:/src:ro imgref check")
        assert code == 1
        assert "Dockerfile:1:6: IMG101 'nginx' has neither a tag nor a digest" in printed
        (version,) = engine.good("docker run --rm --network none imgref --version")
        assert version == f"imgref {imgref.__version__}"
        (user,) = engine.good("docker image inspect --format '{{.Config.User}}' imgref")
        assert user == "65532:65532"


def steps_of_templates() -> dict[str, list[str]]:
    """Return the shell steps of each template, in their order."""
    loader = yaml.SafeLoader
    (_, gitlab) = yaml.load_all((ROOT / "templates" / "imgref.yml").read_text(encoding="utf-8"), loader)
    azure = yaml.load((ROOT / "integrations" / "azure-steps.yml").read_text(encoding="utf-8"), loader)
    orb = yaml.load((ROOT / "integrations" / "circleci-orb.yml").read_text(encoding="utf-8"), loader)
    job = gitlab["imgref-check"]
    return {
        "gitlab": ["\n".join([*job["before_script"], *job["script"]])],
        "azure": [step["bash"] for step in azure["steps"] if "bash" in step],
        "circleci": [orb["commands"][name]["steps"][0]["run"]["command"] for name in ("install", "check")],
    }


@pytest.mark.parametrize(
    ("system", "report"), [("gitlab", "tree/gl-code-quality-report.json"), ("azure", "imgref.sarif"), ("circleci", "")]
)
def test_template_installs_imgref_and_fails_for_a_finding(
    system: str, report: str, wheels: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    write_tree(tree, {"Dockerfile": "FROM nginx\n"})
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "AGENT_TEMPDIRECTORY": str(tmp_path),
        "BASH_ENV": str(tmp_path / "bash_env"),
        "IMGREF_VERSION": imgref.__version__,
        "IMGREF_PATH": ".",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_COMPILE": "1",
    }
    environ["PATH"] = f"{Path(sys.base_prefix) / 'bin'}:{environ['PATH']}"
    (tmp_path / "bash_env").touch()
    *before, last = steps_of_templates()[system]
    for step in before:
        subprocess.run(["bash", "-euc", step], cwd=tree, env=environ, check=True)
    ended = subprocess.run(["bash", "-euc", last], cwd=tree, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "IMG101" in ((tmp_path / report).read_text(encoding="utf-8") if report else ended.stdout)


def test_pin_adds_the_digest_of_the_base_and_the_release_accepts_it(
    plain: Registry, home: Home, unique: Callable[[str], str]
) -> None:
    mirror = unique("hub")
    base = put_image(plain, f"{mirror}/library/python", "3.13-slim")
    settings = home.path / "home" / ".config" / "containers" / "registries.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        f'[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "{plain.host}/{mirror}"\n'
    )
    dockerfile = home.path / "work" / "Dockerfile"
    shutil.copy(ROOT / "Dockerfile", dockerfile)
    (home.path / "work" / "pyproject.toml").write_text("")
    (home.path / "work" / "CHANGELOG.md").write_text(f"## [{imgref.__version__}]\n\n- Add all\n")
    assert home.imgref("pin", "Dockerfile").code == 0
    assert re.findall(r"(?m)^FROM (\S+)", dockerfile.read_text()) == [f"python:3.13-slim@{base.digest}"] * 2
    environ = {name: str(home.path / "work" / file) for name, file in RELEASE_FILES.items()}
    assert script(home, "check-release", f"v{imgref.__version__}", **environ) == [imgref.__version__]
