"""Zstandard: frames, damage, and how much is unpacked at once."""

from __future__ import annotations

import io
import sys

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from imgref.archive.zstd import Library, ZstdReader, default_library, of_python

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIBRARIES = [
    Library(zstandard.ZstdError, zstandard.ZstdDecompressor(max_window_size=128 << 20).decompressobj),
    of_python(zstd),
]
"""Both that can be used: the package, and the module of Python 3.14, which has a backport."""

each_library = pytest.mark.parametrize("library", LIBRARIES, ids=["package", "python"])

_SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip"


def everything(packed: bytes, library: Library, size: int = 1000) -> bytes:
    reader = ZstdReader(io.BytesIO(packed), library)
    return b"".join(iter(lambda: reader.read(size), b""))


@each_library
@given(st.lists(st.binary(max_size=3000), max_size=4), st.integers(1, 5000))
def test_any_number_of_frames_is_read_whole(library: Library, frames: list[bytes], size: int) -> None:
    assert everything(b"".join(map(zstandard.compress, frames)), library, size) == b"".join(frames)


@each_library
@given(st.binary(min_size=1, max_size=5000), st.data())
def test_a_frame_cut_anywhere_is_cut_short(library: Library, plain: bytes, data: st.DataObject) -> None:
    packed = zstandard.compress(plain)
    with pytest.raises(EOFError):
        everything(packed[: data.draw(st.integers(1, len(packed) - 1))], library)


@each_library
def test_skippable_frames_are_skipped(library: Library) -> None:
    assert everything(_SKIPPABLE + zstandard.compress(b"a") + _SKIPPABLE, library) == b"a"


@each_library
def test_what_follows_a_frame_must_be_one(library: Library) -> None:
    with pytest.raises(ValueError, match=r"zstd|Zstandard"):
        everything(zstandard.compress(b"a") + b"junk that is no frame", library)


@each_library
def test_a_window_that_would_fill_the_memory_is_refused(library: Library) -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=28, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(ValueError, match=r"memory|window"):
        everything(packer.compress(b"a" * 1000) + packer.flush(), library)


@each_library
def test_a_small_file_that_unpacks_to_much_is_unpacked_in_parts(library: Library) -> None:
    packed = zstandard.compress(bytes(256 << 20))
    reader = ZstdReader(io.BytesIO(packed), library)
    assert len(reader.read(1 << 30)) <= 32 << 20


def test_what_is_installed_reads_zstd() -> None:
    assert everything(zstandard.compress(b"a"), default_library()) == b"a"
