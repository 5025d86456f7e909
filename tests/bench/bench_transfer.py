"""Pushes beside ``skopeo copy``, memory and growth; run by hand: ``python tests/bench/bench_transfer.py``.

Both tools push the same OCI layout to the same kind of registry, in turns, each time to an empty one. What is printed
is the median of the ratios of paired runs, since a machine is never quiet. Needs docker-registry, skopeo, and some GB
of disk.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from e2e.fault_proxy import run_fault_proxy
from e2e.servers import run_registry
from images import CONFIG, LAYER, MANIFEST, as_json, blob_path, digest_of

MIB = 1 << 20


def make_layout(path: Path, sizes: Sequence[int]) -> str:
    """Write an OCI layout with layers of these sizes; they do not compress, and their making takes no memory."""
    (path / "blobs" / "sha256").mkdir(parents=True)
    layers, ids = [], []
    for size in sizes:
        stage = path / "layer"
        packed, plain, length = sha256(), sha256(), 0
        packer = zlib.compressobj(0, zlib.DEFLATED, 31)
        with stage.open("wb") as file:
            for start in range(0, size, MIB):
                data = os.urandom(min(MIB, size - start))
                plain.update(data)
                for part in (packer.compress(data), packer.flush() if start + MIB >= size else b""):
                    packed.update(part)
                    length += file.write(part)
        digest = f"sha256:{packed.hexdigest()}"
        stage.rename(path / blob_path(digest))
        layers.append({"mediaType": f"{LAYER}+gzip", "digest": digest, "size": length})
        ids.append(f"sha256:{plain.hexdigest()}")
    config = as_json({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}})
    about = {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)}
    raw = as_json({"schemaVersion": 2, "mediaType": MANIFEST, "config": about, "layers": layers})
    for data in (config, raw):
        (path / blob_path(digest_of(data))).write_bytes(data)
    entry = {"mediaType": MANIFEST, "digest": digest_of(raw), "size": len(raw)}
    (path / "index.json").write_bytes(as_json({"schemaVersion": 2, "manifests": [entry]}))
    (path / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))
    return str(path)


def run(command: Sequence[str], home: Path) -> tuple[float, float]:
    """Run a command; gives its seconds, and its largest memory in MiB."""
    environ = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "XDG_RUNTIME_DIR": str(home)}
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return seconds, used.ru_maxrss / 1024


def imgref(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "imgref", *arguments]


def skopeo(source: str, target: str) -> list[str]:
    return ["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{source}", f"docker://{target}"]


def on_fresh_registry(work: Path, command: Callable[[str], Sequence[str]]) -> tuple[float, float]:
    """Run a command against a registry that has nothing yet."""
    place = Path(tempfile.mkdtemp(dir=work))
    with run_registry(place) as registry:
        result = run(command(registry.host), work / "home")
    shutil.rmtree(place)
    return result


def beside_skopeo(work: Path, name: str, layout: str, pairs: int) -> None:
    ratios, ours, theirs = [], [], []
    for number in range(pairs):
        tools: list[Callable[[], tuple[float, float]]] = [
            lambda: on_fresh_registry(work, lambda host: imgref("push", "-q", layout, f"{host}/app:1")),
            lambda: on_fresh_registry(work, lambda host: skopeo(layout, f"{host}/app:1")),
        ]
        # Whoever comes first has the colder cache.
        times = {index: tools[index]()[0] for index in ((0, 1) if number % 2 else (1, 0))}
        ours.append(times[0])
        theirs.append(times[1])
        ratios.append(times[0] / times[1])
    print(
        f"{name}: imgref {statistics.median(ours):.2f} s, skopeo {statistics.median(theirs):.2f} s,"
        f" ratio {statistics.median(ratios):.2f} (median of {pairs} pairs, {min(ratios):.2f} to {max(ratios):.2f})"
    )


def growth(work: Path, sizes: Sequence[int]) -> None:
    for size in sizes:
        layout = make_layout(work / f"layer-{size}", [size * MIB])
        place = Path(tempfile.mkdtemp(dir=work))
        with run_registry(place) as registry:
            push = run(imgref("push", "-q", layout, f"{registry.host}/app:1"), work / "home")
            pull = run(imgref("pull", "-q", f"{registry.host}/app:1", str(work / "pulled.tar")), work / "home")
        shutil.rmtree(place)
        shutil.rmtree(layout)
        (work / "pulled.tar").unlink()
        print(
            f"one layer of {size:>4} MiB: push {push[0]:5.2f} s, {push[1]:.0f} MiB of memory;"
            f" pull {pull[0]:5.2f} s, {pull[1]:.0f} MiB"
        )


def copies(work: Path, layout: str) -> None:
    place = Path(tempfile.mkdtemp(dir=work))
    with run_registry(place) as registry, run_fault_proxy(registry.host) as proxy:
        run(imgref("push", "-q", layout, f"{registry.host}/app:1"), work / "home")
        seconds, _ = run(imgref("copy", "-q", f"{proxy.host}/app:1", f"{proxy.host}/other:1"), work / "home")
        sent = sum(int(seen.headers.get("Content-Length") or 0) for seen in proxy.seen if "/blobs/" in seen.path)
        fetched = [seen for seen in proxy.seen if seen.method == "GET" and "/blobs/" in seen.path]
        print(
            f"copy on one registry: {seconds:.2f} s, {sent} bytes of blobs sent,"
            f" {proxy.count('PUT', '/blobs/')} uploads,"
            f" {len(fetched)} blobs read"
        )
    shutil.rmtree(place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 100, 500, 1000], help="MiB, for growth")
    parser.add_argument("--directory", default=None, help="where to work; needs some GB")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="imgref-bench-", dir=options.directory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        four = make_layout(work / "four", [50 * MIB] * 4)
        hundred = make_layout(work / "hundred", [20_000] * 100)
        beside_skopeo(work, "200 MiB in 4 layers", four, options.pairs)
        beside_skopeo(work, "100 layers of 20 kB", hundred, options.pairs)
        copies(work, four)
        growth(work, options.sizes)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
