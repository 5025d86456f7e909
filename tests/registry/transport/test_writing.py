"""Bodies are sent in pieces, and the timeout is for each part of them."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref.registry.transport.writing import STEP, pieces, send_all


@given(st.lists(st.integers(0, 600_000), max_size=4))
def test_pieces_are_the_chunks_and_none_is_too_large(sizes: list[int]) -> None:
    chunks = [bytes([number]) * size for number, size in enumerate(sizes)]
    sent = list(pieces(chunks))
    assert b"".join(sent) == b"".join(chunks)
    assert all(0 < len(piece) <= 4 * STEP for piece in sent)


@pytest.mark.parametrize("size", [STEP, 4 * STEP])
def test_piece_arrives_whole_through_a_small_buffer(size: int) -> None:
    ours, theirs = socket.socketpair()
    data, found = bytes(range(256)) * 2000, bytearray()

    def read() -> None:
        while part := theirs.recv(3000):
            found.extend(part)

    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        ours.settimeout(20)
        reader = threading.Thread(target=read)
        reader.start()
        send_all(ours, memoryview(data), size)
        assert ours.gettimeout() == 20
        ours.close()
        reader.join()
    assert bytes(found) == data


class Slow:
    """A socket on a clock of its own, which takes some bytes in some seconds."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds = count, seconds
        self.now, self.timeout, self.taken = 0.0, 60.0, 0

    def gettimeout(self) -> float:
        return self.timeout

    def settimeout(self, timeout: float) -> None:
        assert timeout > 0
        self.timeout = timeout

    def monotonic(self) -> float:
        return self.now

    def send(self, data: memoryview) -> int:
        self.now += min(self.seconds, self.timeout)
        if self.seconds > self.timeout:
            raise TimeoutError("timed out")
        count = min(self.count, len(data))
        self.taken += count
        return count


@pytest.mark.parametrize(
    ("count", "seconds", "whole"),
    [(STEP, 59, True), (STEP // 2, 29, True), (STEP // 4, 21, False), (1, 1, False), (STEP, 61, False)],
)
def test_connection_must_take_64_kib_within_the_timeout(
    count: int, seconds: float, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(count, seconds)
    monkeypatch.setattr("imgref.registry.transport.writing.time", slow)
    data = memoryview(b"x" * (4 * STEP))
    if whole:
        send_all(slow, data)  # type: ignore[arg-type]
        assert slow.taken == len(data)
    else:
        with pytest.raises(TimeoutError):
            send_all(slow, data)  # type: ignore[arg-type]
        assert slow.now <= 120
    assert slow.timeout == 60
