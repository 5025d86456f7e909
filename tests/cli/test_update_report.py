"""How plans are shown: the diff is one that can be applied, and shows no credentials."""

from __future__ import annotations

from pathlib import Path

from vectors import imgref

PINNED = f"nginx:1.27@sha256:{'1' * 64}"


def diff(directory: Path, text: bytes) -> tuple[bytes, str]:
    (directory / "Dockerfile").write_bytes(text)
    done = imgref("unpin", "--diff", cwd=directory)
    assert done.exit == 1
    return done.stdout.encode("utf-8", "surrogateescape"), done.stderr


def test_diff_has_the_bytes_of_the_file(tmp_path: Path) -> None:
    out, _ = diff(tmp_path, b"# \xff\r\nFROM " + PINNED.encode() + b"\r\n")
    expected = (
        f"--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,2 @@\n # \udcff\r\n-FROM {PINNED}\r\n+FROM nginx:1.27\r\n"
    )
    assert out == expected.encode("utf-8", "surrogateescape")


def test_diff_omits_lines_around_a_change_that_have_credentials(tmp_path: Path) -> None:
    out, err = diff(tmp_path, f"FROM {PINNED}\nADD https://ada:s3cret@example.org/app /\n".encode())
    assert b"s3cret" not in out
    assert b"@@ -1 +1 @@" in out
    assert "masked" not in err


def test_diff_of_a_line_with_credentials_masks_them_with_a_warning(tmp_path: Path) -> None:
    line = f"RUN --mount=from={PINNED},target=/a wget https://ada:s3cret@example.org\n"
    out, err = diff(tmp_path, f"FROM scratch\n{line}".encode())
    assert b"s3cret" not in out
    assert b"-RUN --mount=from=nginx:1.27@sha256" in out
    assert "credentials are masked in its diff, which cannot be applied" in err
