"""How long `imgref check` takes for a tree of 2,000 files, against yamllint and hadolint; prints ratios.

Run by hand, with yamllint and hadolint beside this interpreter::

    pip install -e '.[check,bench]'
    python tests/bench/bench_check.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

FILES = 2_000
ROUNDS = 3

DOCKERFILE = """\
# syntax=docker/dockerfile:1.7
ARG VERSION=1.23.{number}
FROM golang:${{VERSION}} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/root/.cache/go-build \\
    --mount=type=bind,from=tools:1.2.{number},target=/tools \\
    go mod download && \\
    # a comment on the way
    go build -o /out/app{number} ./cmd/app
COPY . .
RUN echo building {number} \\
 && true

FROM gcr.io/distroless/static:nonroot
COPY --from=build /out/app{number} /app
ENTRYPOINT ["/app"]
"""

DEPLOYMENT = """\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app{number}
  labels: {{app: app{number}}}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: app{number}
  template:
    metadata:
      labels:
        app: app{number}
    spec:
      initContainers:
        - name: wait
          image: busybox:1.36.{number}
          command: ["sh", "-c", "sleep 1"]
      containers:
        - name: app
          image: registry.local:5001/acme/app:{number}
          ports:
            - containerPort: 8080
          env:
            - name: NUMBER
              value: "{number}"
          resources:
            limits:
              cpu: 500m
              memory: 128Mi
"""

OTHER = """\
---
# nothing about images
rules:
  - name: rule{number}
    when: always
    steps: [one, two, three]
    settings:
      depth: {number}
      text: >
        a text of several words
        in two lines
"""


def write(root: Path) -> None:
    """A third each of Dockerfiles, manifests, and YAML that is about something else."""
    for number in range(FILES):
        name, text = [
            (f"docker/{number % 20}/{number}.Dockerfile", DOCKERFILE),
            (f"deploy/{number % 20}/{number}.yaml", DEPLOYMENT),
            (f"other/{number % 20}/{number}.yaml", OTHER),
        ][number % 3]
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.format(number=number), encoding="utf-8")


def seconds(*command: str, at: Path) -> float:
    """The best of some rounds; all these commands exit with 1 where they find something."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        ended = subprocess.run(command, cwd=at, capture_output=True, check=False)
        best = min(best, time.perf_counter() - start)
        assert ended.returncode in {0, 1}, ended.stderr.decode()
    return best


def main() -> None:
    imgref = (sys.executable, "-m", "imgref", "check", "--format", "concise", "--exit-zero")
    with TemporaryDirectory() as directory:
        root = Path(directory)
        write(root)
        dockerfiles = [str(file) for file in sorted(root.glob("docker/**/*.Dockerfile"))]
        whole = seconds(*imgref, ".", at=root)
        print(f"imgref check, {FILES} files:              {whole:.2f} s")
        yaml_alone = seconds(*imgref, "deploy", "other", at=root)
        docker_alone = seconds(*imgref, "docker", at=root)
        if shutil.which("yamllint"):
            lint = seconds("yamllint", "-d", "relaxed", "deploy", "other", at=root)
            print(f"yamllint, YAML alone:                 {lint:.2f} s, {lint / whole:.1f} times the whole check")
            print(f"imgref check, YAML alone:             {yaml_alone:.2f} s, 1/{lint / yaml_alone:.1f} of yamllint")
        if shutil.which("hadolint"):
            lint = seconds("hadolint", "--no-fail", *dockerfiles, at=root)
            print(f"hadolint, Dockerfiles alone:          {lint:.2f} s, {lint / whole:.1f} times the whole check")
            print(
                f"imgref check, Dockerfiles alone:      {docker_alone:.2f} s, 1/{lint / docker_alone:.1f} of hadolint"
            )


if __name__ == "__main__":
    main()
