"""Clients that crash, hang, flood and lie: whoever stays loses nothing, and memory and descriptors stay bounded."""

import random
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack

from samples import FLOW1
from server import recorded_proofs as requests
from server.live import BLAKE2S, VALID, Peer, frame, is_error, plain, serving, tagged
from server.recorded_proofs import VERIFY_FLOW1

MIB = 1024 * 1024
DECOMPRESS = plain("ChonkDecompressProof", compressed_proof=FLOW1.compressed)

Start = Callable[..., Any]


def test_a_client_killed_in_the_middle_of_a_frame(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True) as server:
        stays = server.connect()
        stays.is_served()
        before = server.descriptors()
        script = (
            "import os, signal, socket, sys\n"
            "s = socket.socket(socket.AF_UNIX)\n"
            "s.connect(sys.argv[1])\n"
            "s.sendall(sys.stdin.buffer.read())\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        stays.request(VERIFY_FLOW1)
        for data in (
            b"\x15",
            frame(BLAKE2S)[:7],
            frame(VERIFY_FLOW1)[:30_000],
            frame(VERIFY_FLOW1) + frame(VERIFY_FLOW1)[:5000],
            frame(VERIFY_FLOW1) * 2,
        ):
            client = subprocess.run([sys.executable, "-c", script, str(server.path)], input=data, check=False)
            assert client.returncode == -signal.SIGKILL
        assert stays.receive() == VALID
        stays.is_served()
        while server.descriptors() > before:
            stays.is_served()


def test_a_client_that_leaves_before_its_response(tmp_path: Path) -> None:
    """bb dies of it: SIGPIPE."""
    with serving(tmp_path, on_socket=True) as server:
        stays = server.connect()
        for payload in (VERIFY_FLOW1, BLAKE2S, tagged(1, "Blake2s", data=b"abc")):
            leaves = server.connect()
            leaves.request(*[payload] * 20)
            leaves.close()
        stays.request(VERIFY_FLOW1)
        assert stays.receive() == VALID
        stays.is_served()
        assert "Traceback" not in server.log()


def test_a_client_that_never_reads(start: Start) -> None:
    """Its requests are taken up to the limit; memory stays near it, and others are served meanwhile."""
    limit = 4 * MIB
    with start("--max-in-flight-bytes", str(limit)) as server:
        other = server.connect() if server.path is not None else None
        hog = server.connect()
        hog.request(*[VERIFY_FLOW1] * 3, DECOMPRESS)  # what these load and allocate stays
        for _ in range(4):
            hog.receive()
        before = server.memory()
        count = 2000  # their responses are 80 MiB
        writing = hog.send_in_background(frame(DECOMPRESS) * count)
        if other is not None:
            other.request(*[VERIFY_FLOW1] * 3)
            assert [other.receive() for _ in range(3)] == [VALID] * 3
            other.is_served()
        # The writer stops when the server has as much as it may have: then it cannot finish before somebody reads.
        first = hog.receive()
        assert first is not None
        assert msgpack.unpackb(first)[0] == "ChonkDecompressProofResponse"
        assert writing.is_alive()
        peak = server.memory()
        for _ in range(count - 1):
            assert hog.receive() == first
            peak = max(peak, server.memory())
        writing.join()
        hog.is_served()
        assert peak - before < 4 * limit + 16 * MIB  # the second is for the verifications of the other client


def test_two_hundred_connections_opened_and_dropped(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True) as server:
        stays = server.connect()
        stays.is_served()
        before = server.descriptors()
        chooser = random.Random(1)
        for index in range(200):
            client = server.connect()
            if index % 4:
                client.send(frame(BLAKE2S)[: chooser.randrange(len(frame(BLAKE2S)) + 1)])
            if index % 3 == 0:
                stays.is_served()
            client.close()
        while server.descriptors() > before:
            stays.is_served()
        stays.is_served()


def test_two_hundred_connections_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True) as server:
        clients = [server.connect() for _ in range(200)]
        for client in clients:
            client.request(BLAKE2S)
        for client in reversed(clients):
            client.buffer = b""
            assert client.receive() is not None
        for client in clients:
            client.is_served()


def test_lengths_that_promise_too_much(tmp_path: Path) -> None:
    """With one such client, every other one starves at bb."""
    with serving(tmp_path, "--max-frame-bytes", str(2**32 - 1), on_socket=True) as server:
        stays = server.connect()
        stays.is_served()
        before = server.memory()
        liars = [server.connect() for _ in range(50)]
        for liar in liars:
            liar.send(struct.pack("<I", 2**32 - 1) + BLAKE2S)
        stays.request(VERIFY_FLOW1)
        assert stays.receive() == VALID
        stays.is_served()
        assert server.memory() - before < 64 * MIB
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 0


def test_a_flood_of_garbage(start: Start) -> None:
    chooser = random.Random(2)
    with start() as server:
        peer = server.connect()
        peer.is_served()
        before = server.memory()
        payloads = [chooser.randbytes(chooser.randrange(60)) for _ in range(20_000)]
        writing = peer.send_in_background(b"".join(map(frame, payloads)))
        for _ in payloads:
            response = peer.receive()
            assert response is not None
            message = msgpack.unpackb(response)
            assert is_error(msgpack.packb(message[1]) if isinstance(message[0], int) else response)
        writing.join()
        peer.is_served()
        assert server.memory() - before < 64 * MIB
        assert server.log().count("\n") < 50


def test_messages_that_cost_memory_to_build(start: Start) -> None:
    """A megabyte of tiny objects in an ignored field, deep nesting, announced giants: errors, and no memory."""
    big = b"\x91\x92\xa7Blake2s\x82\xa1x"
    with start() as server:
        peer = server.connect()
        peer.is_served()
        before = server.memory()
        for payload in (
            big + b"\xdd\x00\x10\x00\x00" + b"\x90" * 2**20,
            big + b"\xdd\x00\x10\x00\x00" + b"\xa1a" * 2**20,
            big + b"\x91" * 2**20,
            b"\x91" * 2**20,
            b"\xdd\xff\xff\xff\xff",
            b"\x91\x92\xadPoseidon2Hash\x81\xa6inputs\xdd\xff\xff\xff\xff" + b"\xc4\x20" + bytes(32),
            b"\x91\x92\xadPoseidon2Hash\x81\xa6inputs\xdd\x00\x10\x00\x00" + b"\xc4\x00" * 2**20,
        ):
            peer.request(payload)
            assert is_error(peer.receive())
            peer.is_served()
        assert server.memory() - before < 48 * MIB


def test_a_large_hash_does_not_stop_others(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True) as server:
        busy, other = server.connect(), server.connect()
        words = [bytes(32)] * 100_000
        busy.request(plain("Poseidon2Hash", inputs=words))
        for _ in range(20):
            other.is_served()
        response = busy.receive()
        assert response is not None
        assert msgpack.unpackb(response)[0] == "Poseidon2HashResponse"


def test_sigterm_under_load_loses_nothing_that_was_taken(tmp_path: Path) -> None:
    """Every client gets a prefix of its answers, whole and in order; tagged ones each once."""
    with serving(tmp_path, "--grace-period", "100", on_socket=True) as server:
        clients = [server.connect() for _ in range(4)]
        for client in clients:
            client.is_served()
        threads = []
        for index, client in enumerate(clients):
            items = [frame(VERIFY_FLOW1 if index % 2 else tagged_verify(number)) for number in range(1, 9)]
            threads.append(client.send_in_background(b"".join(items)))
        assert clients[0].receive() is not None
        server.process.send_signal(signal.SIGTERM)
        for index, client in enumerate(clients):
            seen = []
            while (response := receive_or_reset(client)) is not None:
                seen.append(msgpack.unpackb(response))
            if index % 2:
                assert seen == [msgpack.unpackb(VALID)] * len(seen)
            else:
                ids = [response[0] for response in seen]
                assert len(set(ids)) == len(ids)
                assert all(response[1] == msgpack.unpackb(VALID) for response in seen)
        assert server.wait() == 0
        for thread in threads:
            thread.join()
        assert "Traceback" not in server.log()


def tagged_verify(number: int) -> bytes:
    return b"\x92" + msgpack.packb(number) + requests.verify(requests.parts(), FLOW1.vk)[1:]


def receive_or_reset(client: Peer) -> bytes | None:
    """The server may close while we still send to it: the kernel then reports a reset behind what was sent."""
    try:
        return client.receive()
    except ConnectionResetError:
        return None


def test_clients_cannot_influence_each_other(tmp_path: Path) -> None:
    """The same ids, malformed frames, and slow requests of others change nothing in what a client sees."""
    with serving(tmp_path, on_socket=True) as server:
        errors: list[str] = []

        def behave(seed: int) -> None:
            chooser, client = random.Random(seed), server.connect()
            for number in range(1, 60):
                data = chooser.randbytes(20)
                expected = client.call(plain("Blake2s", data=data))
                if client.call(tagged(number % 5 + 1, "Blake2s", data=data)) != [number % 5 + 1, expected]:
                    errors.append(f"client {seed}, request {number}")

        def misbehave(seed: int) -> None:
            chooser = random.Random(seed)
            for _ in range(30):
                with socket.socket(socket.AF_UNIX) as noise:
                    noise.connect(str(server.path))
                    noise.sendall(frame(chooser.randbytes(50)) + frame(VERIFY_FLOW1)[: chooser.randrange(len(VERIFY_FLOW1))])

        threads = [threading.Thread(target=behave, args=(seed,)) for seed in range(3)]
        threads += [threading.Thread(target=misbehave, args=(seed,)) for seed in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert server.process.poll() is None
