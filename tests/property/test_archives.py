from __future__ import annotations

import gzip
import tempfile
import zlib
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from images import layer_tar, oci_image, oci_layout, old_save, tar_of

from imgref.archive._saved import _gzipped
from imgref.archive.reader import open_archive
from imgref.errors import ArchiveError

LAYERS = [layer_tar(b"base" * 40), layer_tar(b"top")]
WHOLE = [tar_of(oci_layout({"v1": oci_image(LAYERS)})), tar_of(old_save({"app:1": LAYERS, "app:2": LAYERS[:1]}))]


def read_all(data: bytes) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "app.tar"
        path.write_bytes(data)
        digests = set()
        with open_archive(str(path)) as archive:
            for name in archive.names:
                image = archive.image(name)
                for blob in (*image.layers, *image.configs):
                    assert sum(map(len, blob.chunks())) == blob.descriptor().size
                digests.add(image.manifests()[-1].digest)
        return digests


RIGHT = [read_all(whole) for whole in WHOLE]


@settings(max_examples=examples(2), deadline=None)
@given(which=st.integers(0, 1), at=st.integers(0, 1 << 16), with_=st.binary(min_size=1, max_size=40))
def test_damage_is_reported_or_harmless(which: int, at: int, with_: bytes) -> None:
    whole = WHOLE[which]
    at %= len(whole)
    try:
        found = read_all(whole[:at] + with_ + whole[at + len(with_) :])
    except ArchiveError:
        return
    # What is in a digest cannot have changed; what is not (a name, a time) may have.
    assert found <= RIGHT[which]


@settings(max_examples=examples(1), deadline=None)
@given(which=st.integers(0, 1), size=st.integers(0, 1 << 16))
def test_a_part_of_an_archive_is_refused(which: int, size: int) -> None:
    whole = WHOLE[which]
    end = len(whole.rstrip(b"\0"))
    with pytest.raises(ArchiveError):
        read_all(whole[: size % end])


@given(st.lists(st.binary(min_size=1, max_size=3000).map(lambda part: part * 3), max_size=5))
def test_what_is_compressed_unpacks_to_what_it_was(chunks: list[bytes]) -> None:
    packed = b"".join(_gzipped(iter(chunks)))
    assert gzip.decompress(packed) == b"".join(chunks)
    reader = zlib.decompressobj(31)
    assert reader.decompress(packed) == b"".join(chunks)
    assert reader.eof
    assert not reader.unused_data
    assert packed == b"".join(_gzipped(iter(chunks)))
