"""The release's image steps against a real registry, and the content of the image with nothing but Python around it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from check_trees import write_tree
from e2e.commands import Home
from e2e.images import put_image
from e2e.servers import Registry
from images import layer_tar, oci_image, platforms_layout, write_tar

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
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


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")
def test_imgref_runs_with_only_python_as_a_user_without_name_or_home(tmp_path: Path) -> None:
    root = tmp_path / "root"
    prefix = Path(sys.base_prefix)
    library = prefix / "lib" / f"python3.{sys.version_info[1]}"
    copied = root / str(library).removeprefix("/")
    shutil.copytree(library, copied, ignore=shutil.ignore_patterns("site-packages", "test", "__pycache__", "*.a"))
    python = prefix / "bin" / f"python3.{sys.version_info[1]}"
    inside = root / str(python).removeprefix("/")
    inside.parent.mkdir()
    shutil.copy(python, inside)
    copy_libraries(root, python, *(library / "lib-dynload").glob("*.so"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(root / "opt" / "imgref")]
    subprocess.run([*install, f"{ROOT}[all]"], check=True)
    write_tree(root / "src", {"Dockerfile": "FROM nginx\n", "compose.yaml": "services: {a: {image: 'x:1.2.3'}}\n"})
    for folder in (tmp_path, *root.rglob("*")):
        if folder.is_dir():
            folder.chmod(folder.stat().st_mode | 0o055)
    user = re.search(r"(?m)^USER (\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert user
    command = ["chroot", f"--userspec={user[1]}", str(root), str(python), "-m", "imgref", "check", "/src"]
    environ = {"PYTHONPATH": "/opt/imgref", "PYTHONHOME": str(prefix), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "IMG101" in ended.stdout
