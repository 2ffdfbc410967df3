"""Shared memory: the rings against a model, and a server whose client writes anything into them."""

import os
import subprocess
import sys
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.shm import files
from bbipc.shm.files import Rings
from bbipc.shm.ring import RingBroken
from samples import FLOW1
from server.live import BLAKE2S, BLAKE2S_RESPONSE, SETUP, SHUTDOWN, SHUTDOWN_RESPONSE, TIMEOUT, VALID, frame, plain
from server.recorded_proofs import VERIFY_FLOW1


@contextmanager
def serving(log: Path, *options: str) -> Iterator[tuple[Rings, "subprocess.Popen[bytes]"]]:
    name = f"bbipc-test-{uuid.uuid4().hex}"
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP, "--input", f"{name}.shm", *options]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors)
    try:
        while (rings := files.opened(name)) is None:
            assert process.poll() is None, log.read_text()
            os.sched_yield()
        yield rings, process
        rings.close()
    finally:
        process.terminate()
        process.wait(TIMEOUT)
        assert not files.request_path(name).exists()
        assert not files.response_path(name).exists()


def receive(rings: Rings, count: int) -> list[bytes]:
    responses: list[bytes] = []
    while len(responses) < count:
        rings.responses.wait_for_data(int(1000 * TIMEOUT))
        run = rings.responses.take()
        assert run
        while run:
            length = int.from_bytes(run[:4], "little")
            responses.append(run[4 : 4 + length])
            run = run[4 + length :]
    return responses


def test_requests_of_all_kinds_in_order(tmp_path: Path) -> None:
    with serving(tmp_path / "log") as (rings, process):
        for payload in (BLAKE2S, VERIFY_FLOW1, BLAKE2S, b"", BLAKE2S):
            assert rings.requests.put(frame(payload))
        first, second, third, error, last = receive(rings, 5)
        assert [first, second, third, last] == [BLAKE2S_RESPONSE, VALID, BLAKE2S_RESPONSE, BLAKE2S_RESPONSE]
        assert b"ErrorResponse" in error
        rings.requests.put(frame(SHUTDOWN))
        assert receive(rings, 1) == [SHUTDOWN_RESPONSE]
        assert process.wait(TIMEOUT) == 0


def test_a_response_too_long_for_the_ring_is_an_error(tmp_path: Path) -> None:
    with serving(tmp_path / "log", "--response-ring-size", "1024") as (rings, _):
        rings.requests.put(frame(plain("ChonkDecompressProof", compressed_proof=FLOW1.compressed)) + frame(BLAKE2S))
        error, after = receive(rings, 2)
        assert b"--response-ring-size" in error
        assert after == BLAKE2S_RESPONSE


@pytest.mark.parametrize(
    ("offset", "value"),
    [(0, (1 << 63).to_bytes(8, "little")), (0, ((1 << 20) + 4).to_bytes(8, "little")), (8, bytes(8))],
)
def test_broken_control_words_end_the_server_in_order(tmp_path: Path, offset: int, value: bytes) -> None:
    log = tmp_path / "log"
    with serving(log) as (rings, process):
        for path in (files.request_path(rings.name), files.response_path(rings.name)):
            file = os.open(path, os.O_RDWR)
            os.pwrite(file, value, offset)
            if offset == 8:
                os.pwrite(file, (64).to_bytes(8, "little"), 0)
            os.close(file)
        rings.requests.interrupt(on=True)  # wakes the server, whose word it sleeps at has changed
        process.wait(TIMEOUT)
    assert process.returncode == 1
    assert "has broken the shared memory of the requests" in log.read_text()


def test_a_file_that_is_cut_short_ends_the_server_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(log) as (rings, process):
        os.truncate(files.request_path(rings.name), 0)
        rings.requests.interrupt(on=True)
        assert process.wait(TIMEOUT) == 1
    assert "was cut short" in log.read_text()


def test_a_file_is_whole_when_it_appears() -> None:
    """bb.js maps the requests at once, and takes a ring that has no capacity yet for a full one."""
    name = f"bbipc-test-{uuid.uuid4().hex}"
    paths = [str(files.request_path(name)), str(files.response_path(name))]
    watch = subprocess.Popen([sys.executable, "-c", WATCH, *paths], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert watch.stdout is not None
    assert watch.stdout.readline() == b"watching\n"
    for _ in range(1000):
        with files.created(name, 1 << 20, 4096):
            os.sched_yield()
    seen, _ = watch.communicate(timeout=TIMEOUT)
    assert set(seen.split()) == {f"{1 << 20}/4096".encode()}


WATCH = """
import os, select, sys
print("watching", flush=True)
while not select.select([0], [], [], 0)[0]:
    try:
        files = [os.open(path, os.O_RDONLY) for path in sys.argv[1:]]
    except FileNotFoundError:
        continue
    print(*(int.from_bytes(os.pread(file, 8, 128), "little") for file in files), sep="/")
    for file in files:
        os.close(file)
"""
"""Opens both as soon as the first is there, and shows their capacities."""


def test_a_name_is_taken_once() -> None:
    """However many begin at the same time, and whatever was left of others."""
    name = f"bbipc-test-{uuid.uuid4().hex}"
    program = (
        "import sys; from bbipc.shm.files import created\nwith created(sys.argv[1], 4096, 4096): print(1, flush=True); input()"
    )
    left = [files.request_path(name), files.response_path(name)]
    for path in left:
        path.write_bytes(b"of one that was killed")
    command = [sys.executable, "-c", program, name]
    servers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(8)
    ]
    said = [server.stdout.readline() for server in servers if server.stdout is not None]
    assert sorted(said) == [b""] * 7 + [b"1\n"]
    for server in servers:
        _, errors = server.communicate(b"\n", TIMEOUT)
        assert server.returncode == 0 or b"another server uses it" in errors
    assert not any(path.exists() for path in left)
    assert not [path for server in servers for path in files.FOLDER.glob(f".bbipc-{server.pid}-*")]


@pytest.mark.parametrize("seed", range(3))
def test_scribbling_while_the_server_runs(tmp_path: Path, seed: int) -> None:
    """All control words and lengths, near what is right or far from it, until the server has noticed."""
    random = Random(seed)
    log = tmp_path / "log"
    with serving(log) as (rings, process):
        descriptors = [os.open(path, os.O_RDWR) for path in (files.request_path(rings.name), files.response_path(rings.name))]
        for _ in range(100_000):
            if process.poll() is not None:
                break
            with suppress(RingBroken):
                rings.requests.put(frame(BLAKE2S) * random.randrange(1, 8))
            with suppress(RingBroken):
                rings.responses.take()
            if random.random() < 0.3:
                file = random.choice(descriptors)
                place = random.choice((0, 8, 16, 64, 72, 128, 192, 256 + random.randrange(0, 4096, 4)))
                near = int.from_bytes(os.pread(file, 8, random.choice((0, 64))), "little") + random.randrange(-8, 9)
                value = random.choice((near % 2**64, random.randrange(2**64), random.randrange(2**21)))
                os.pwrite(file, value.to_bytes(8, "little")[: random.choice((1, 4, 8))], place)
        for file in descriptors:
            os.close(file)
        assert process.wait(TIMEOUT) == 1
    assert "has broken the shared memory of the re" in log.read_text()


@settings(max_examples=60)
@given(steps=st.lists(st.one_of(st.binary(max_size=508), st.none()), max_size=80))
def test_a_ring_is_a_queue(steps: list[bytes | None]) -> None:
    """Whatever is put and taken in any order, through all wraps: a message comes out as it went in."""
    with files.created(f"bbipc-test-{uuid.uuid4().hex}", 1024, 1024) as server:
        client = files.opened(server.name)
        assert client is not None
        queue: deque[bytes] = deque()
        for step in steps:
            if step is None:
                assert server.requests.take() == b"".join(map(frame, queue))
                queue.clear()
            elif client.requests.put(frame(step)):
                queue.append(step)
            else:
                assert queue, "an empty ring takes every message"
        assert server.requests.take() == b"".join(map(frame, queue))
        with pytest.raises(ValueError, match="more than 508 bytes"):
            client.requests.put(frame(bytes(509)))
        client.close()


@settings(max_examples=200)
@given(
    words=st.tuples(*[st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 2100))] * 2),
    data=st.binary(min_size=1024, max_size=1024),
)
def test_anything_in_the_memory_is_a_message_or_a_broken_ring(words: tuple[int, int], data: bytes) -> None:
    with files.created(f"bbipc-test-{uuid.uuid4().hex}", 1024, 1024) as server:
        file = os.open(files.request_path(server.name), os.O_RDWR)
        os.pwrite(file, data, 256)
        for offset, word in zip((8, 0), words, strict=True):
            os.pwrite(file, word.to_bytes(8, "little"), offset)
        os.close(file)
        try:
            while run := server.requests.take():
                assert len(run) <= 1024
        except RingBroken:
            with pytest.raises(RingBroken):
                server.requests.take()
