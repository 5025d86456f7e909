"""Zstandard: frames, damage, and how much is unpacked at once."""

from __future__ import annotations

import io

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from imgref.archive.zstd import ZstdReader

_SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip"


def everything(packed: bytes, size: int = 1000) -> bytes:
    reader = ZstdReader(io.BytesIO(packed))
    return b"".join(iter(lambda: reader.read(size), b""))


@given(st.lists(st.binary(max_size=3000), max_size=4), st.integers(1, 5000))
def test_any_number_of_frames_is_read_whole(frames: list[bytes], size: int) -> None:
    assert everything(b"".join(map(zstandard.compress, frames)), size) == b"".join(frames)


@given(st.binary(min_size=1, max_size=5000), st.data())
def test_a_frame_cut_anywhere_is_cut_short(plain: bytes, data: st.DataObject) -> None:
    packed = zstandard.compress(plain)
    with pytest.raises(EOFError):
        everything(packed[: data.draw(st.integers(1, len(packed) - 1))])


def test_skippable_frames_are_skipped() -> None:
    assert everything(_SKIPPABLE + zstandard.compress(b"a") + _SKIPPABLE) == b"a"


def test_what_follows_a_frame_must_be_one() -> None:
    with pytest.raises(ValueError, match="zstd"):
        everything(zstandard.compress(b"a") + b"junk that is no frame")


def test_a_window_that_would_fill_the_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=28, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(ValueError, match="memory"):
        everything(packer.compress(b"a" * 1000) + packer.flush())


def test_a_small_file_that_unpacks_to_much_is_unpacked_in_parts() -> None:
    packed = zstandard.compress(bytes(256 << 20))
    reader = ZstdReader(io.BytesIO(packed))
    assert len(reader.read(1 << 30)) <= 32 << 20
