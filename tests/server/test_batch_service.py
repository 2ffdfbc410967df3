"""The batch verifier service: what was recorded from bb, and what is deliberately better."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest

from bbipc.chonk import Outcome, Verdict
from bbipc.server.batch_report import failed_checks
from recorded import recordings
from samples import CORPUS, FLOW1, FLOW2, FLOW4, FLOW8, Sample
from server import recorded_proofs as requests
from server.fifo_reader import FifoReader
from server.live import Peer, is_error, plain

Start = Callable[..., Any]
RECORDED = recordings("batch_service")
KEYS = [FLOW1.vk, FLOW4.vk, FLOW8.vk]
PROOFS_OF_KEY_0 = [FLOW1, *(sample for sample in CORPUS if sample.vk == FLOW1.vk)]
NOT_ON_CURVE = requests.key_word(3, int.from_bytes(FLOW1.vk[96:128], "big") ^ 1)


def words_of(parts: requests.Parts) -> list[bytes]:
    return [word for name in requests.PARTS for word in parts[name]]


def good(sample: Sample = FLOW1) -> list[bytes]:
    return words_of(requests.parts(sample))


def flipped(part: str, index: int) -> list[bytes]:
    parts = requests.parts()
    parts[part][index] = requests.word(requests.number(parts[part][index]) ^ 1)
    return words_of(parts)


def wrong_pairing() -> list[bytes]:
    parts = requests.parts()
    parts["joint_proof"][473:] = requests.parts(FLOW2)["joint_proof"][473:]
    return words_of(parts)


BAD_INPUT = flipped("hiding_oink_proof", 0)
BAD_SCALAR = flipped("ipa_proof", 62)
BAD_IPA_POINT = flipped("ipa_proof", 0)
BAD_POINT = flipped("hiding_oink_proof", requests.POINT)

# What was queued in each recorded case, in order; where it is not told here, it was a valid proof.
QUEUED: dict[str, dict[int, list[bytes]]] = {
    "bisect": {2: BAD_SCALAR, 5: BAD_SCALAR},
    "invalid_mixed": {2: BAD_INPUT, 3: BAD_SCALAR, 4: BAD_IPA_POINT, 5: BAD_POINT, 6: wrong_pairing()},
    "sizes_and_indices": {1: good()[:-1], 2: [*good(), bytes(32)], 3: []},
}
STARTED: dict[str, list[list[bytes]]] = {
    "start_bad_vks": [[FLOW1.vk[:-1]], [b""], [NOT_ON_CURVE], KEYS],
    "start_no_vks": [[]],
    "restart": [KEYS, [FLOW4.vk]],
}
# Where we refuse at Queue what bb reports on the FIFO, or verifies twice: the id and the beginning of our message.
REFUSED = {
    "sizes_and_indices": {
        1: "proof has wrong size: expected 1274, got 1273",
        2: "proof has wrong size: expected 1274, got 1275",
        3: "proof has wrong size: expected 1274, got 0",
        4: "proof has wrong size: expected 1774, got 1274",
        5: "invalid vk_index: 3",
        6: "invalid vk_index: 4294967295",
    },
    "start_no_vks": {1: "invalid vk_index: 0"},
    "duplicate_ids": {},  # a test of its own: whether the first 5 is still there depends on time
}
OWN_TESTS = {
    "no_reader", "restart_no_reader", "fifo_missing", "shutdown_while_running", "stdin_eof_while_running", "duplicate_ids",
}  # fmt: skip


def start_request(path: Path, keys: list[bytes] = KEYS, cores: int = 2, batch: int = 4) -> bytes:
    return plain("ChonkBatchVerifierStart", vks=keys, num_cores=cores, batch_size=batch, fifo_path=str(path))


def queue_request(request_id: int, words: list[bytes] | None = None, key: int = 0) -> bytes:
    words = good() if words is None else words
    return plain("ChonkBatchVerifierQueue", request_id=request_id, vk_index=key, proof_fields=words)


STOP = plain("ChonkBatchVerifierStop")
STARTED_RESPONSE = ["ChonkBatchVerifierStartResponse", {}]
QUEUED_RESPONSE = ["ChonkBatchVerifierQueueResponse", {}]
STOPPED_RESPONSE = ["ChonkBatchVerifierStopResponse", {}]


class Replay:
    """A recorded case, with our proofs and keys and a FIFO of ours."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.keys = iter(STARTED.get(name, []))
        self.current: list[bytes] = KEYS

    def request(self, step: dict) -> bytes:
        arguments = step["args"]
        match step["cmd"]:
            case "ChonkBatchVerifierStart":
                self.current = next(self.keys, KEYS)
                return start_request(self.path, self.current, arguments["num_cores"], arguments["batch_size"])
            case "ChonkBatchVerifierQueue":
                key = arguments["vk_index"]
                return queue_request(arguments["request_id"], self._words(arguments["request_id"], key), key)
            case "ChonkBatchVerifierStop":
                return STOP
            case "ChonkVerify":
                return requests.verify(requests.parts(), FLOW1.vk)
        raise AssertionError(step["cmd"])

    def _words(self, request_id: int, key: int) -> list[bytes]:
        change = QUEUED.get(self.name, {}).get(request_id)
        if change is not None:
            return change
        if self.name == "sizes_and_indices" or key >= len(self.current):
            return good()
        if self.current[key] == FLOW1.vk:
            return good(PROOFS_OF_KEY_0[request_id % len(PROOFS_OF_KEY_0)])
        return good(FLOW4 if self.current[key] == FLOW4.vk else FLOW8)


def without_times(frame: bytes) -> bytes:
    """A result with its two times, and the number that depends on how proofs met in batches, blotted out.

    And ours tells which point is not on the curve, so its length differs.
    """
    frame = re.sub(rb"(time_in_queue_ms\xcb).{8}(\xb1time_in_verify_ms\xcb).{8}", rb"\1\2", frame, flags=re.DOTALL)
    frame = re.sub(
        rb"^.{4}(.*)\xd9.(reduce_to_ipa_claim threw: ).*(point is not on the curve)", rb"\1\2\3", frame, flags=re.DOTALL
    )
    return re.sub(rb"(batch_failure_count)[\x00-\x7f]$", rb"\1", frame)


@pytest.mark.parametrize("name", [name for name in RECORDED if name not in OWN_TESTS])
def test_recorded_cases(peer: Peer, tmp_path: Path, name: str) -> None:
    case, refused = RECORDED[name], REFUSED.get(name, {})
    path = tmp_path / "fifo"
    os.mkfifo(path)
    replay, readers = Replay(name, path), []
    for step in case["steps"]:
        if step["cmd"] == "ChonkBatchVerifierStart" and step["response"].startswith("['ChonkBatch"):
            readers.append(FifoReader(path))
        peer.request(replay.request(step))
        response = peer.receive()
        assert response is not None
        expected = bytes.fromhex(step["response_frame_hex"])[4:]
        if step["args"].get("request_id") in refused:
            message = refused[step["args"]["request_id"]]
            assert msgpack.unpackb(response)[1]["message"].startswith(f"ChonkBatchVerifierQueue: {message}")
        elif name == "start_bad_vks" and is_error(expected):  # ours tells which key it is, and which point of it
            message = msgpack.unpackb(expected)[1]["message"].removeprefix("Deserialized ")
            assert msgpack.unpackb(response)[1]["message"].startswith("ChonkBatchVerifierStart: vks[0]")
            assert msgpack.unpackb(response)[1]["message"].endswith(message)
        else:
            assert response == expected
    recorded = [bytes.fromhex(frame["hex"]) for frame in case["fifo_frames"]]
    recorded = [frame for frame in recorded if msgpack.unpackb(frame[4:])["request_id"] not in refused]
    frames = [frame for reader in readers if reader.until_end() is not None for frame in reader.frames]
    assert sorted(map(without_times, frames)) == sorted(map(without_times, recorded))
    for result in (result for reader in readers for result in reader.results):
        assert result["time_in_queue_ms"] >= 0
        assert result["time_in_verify_ms"] > 0
    peer.is_served()


def test_the_recorded_numbers_of_failed_checks() -> None:
    """bb verified the first proof by itself; the others that got as far as the IPA were its next batch."""
    valid, bad = Verdict(Outcome.VALID), Verdict(Outcome.INVALID, step="IPA")
    before = Verdict(Outcome.INVALID, step="Merge reduction")
    undecodable = Verdict(Outcome.ERROR, reason="...", part="ipa_proof")
    counts = {frame["id"]: frame["count"] for frame in decoded("bisect")}
    assert failed_checks([valid]) == [counts.pop(0)]
    assert failed_checks([valid, bad, valid, valid, bad, valid, valid]) == [counts[number] for number in range(1, 8)]
    counts = {frame["id"]: frame["count"] for frame in decoded("invalid_mixed")}
    assert failed_checks([before, bad, undecodable, before, before, valid]) == [counts[number] for number in range(2, 8)]
    assert failed_checks([bad]) == [1]


def decoded(name: str) -> list[dict[str, int]]:
    results = [msgpack.unpackb(bytes.fromhex(frame["hex"])[4:]) for frame in RECORDED[name]["fifo_frames"]]
    return [{"id": result["request_id"], "count": result["batch_failure_count"]} for result in results]


def test_every_recorded_case_is_tested() -> None:
    assert set(RECORDED) > OWN_TESTS
    assert (set(QUEUED) | set(STARTED) | set(REFUSED)) <= set(RECORDED)


# ---- The end of the server -------------------------------------------------------------------------------------------


def test_shutdown_while_running(start: Start, tmp_path: Path) -> None:
    with start() as server:
        peer, reader = server.connect(), FifoReader(tmp_path / "fifo")
        peer.request(start_request(reader.path), queue_request(1), plain("Shutdown"))
        responses = [msgpack.unpackb(peer.receive() or b"") for _ in range(3)]
        assert responses == [STARTED_RESPONSE, QUEUED_RESPONSE, ["ShutdownResponse", {}]]
        assert [result["status"] for result in reader.until_end()] == [0]
        assert peer.receive() is None
        assert server.wait() == 0


def test_the_end_of_the_input_while_running(start: Start, tmp_path: Path) -> None:
    with start() as server:
        peer, reader = server.connect(), FifoReader(tmp_path / "fifo")
        peer.request(start_request(reader.path), queue_request(1), queue_request(2, BAD_SCALAR))
        peer.end_input()
        assert [msgpack.unpackb(peer.receive() or b"") for _ in range(3)] == [
            STARTED_RESPONSE,
            QUEUED_RESPONSE,
            QUEUED_RESPONSE,
        ]
        assert peer.receive() is None
        if server.path is not None:  # the service belongs to all clients: another one ends it
            assert server.connect().call(STOP) == STOPPED_RESPONSE
        assert {result["request_id"]: result["status"] for result in reader.until_end()} == {1: 0, 2: 1}
        if server.path is None:
            assert server.wait() == 0


def test_nobody_reads_at_the_end(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with start() as server:
        peer = server.connect()
        peer.request(start_request(path), queue_request(1), plain("Shutdown"))
        responses = [msgpack.unpackb(peer.receive() or b"") for _ in range(3)]
        assert responses[-1] == ["ShutdownResponse", {}]
        assert server.wait() == 0
        assert "stopped, but 1 results are lost: nobody reads the FIFO" in server.log()


# ---- Faults ----------------------------------------------------------------------------------------------------------


def test_stop_does_not_hang_if_nobody_reads(peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    assert peer.call(start_request(path)) == STARTED_RESPONSE
    assert peer.call(queue_request(7)) == QUEUED_RESPONSE
    name, fields = peer.call(STOP)
    assert name == "ErrorResponse"
    assert fields["message"] == (f"ChonkBatchVerifierStop: stopped, but 1 results are lost: nobody reads the FIFO '{path}'")
    # Stopped it is; and as in restart_no_reader, another run may have a reader or not.
    reader = FifoReader(path)
    assert peer.call(start_request(path)) == STARTED_RESPONSE
    assert peer.call(queue_request(7)) == QUEUED_RESPONSE
    assert peer.call(STOP) == STOPPED_RESPONSE
    assert [result["request_id"] for result in reader.until_end()] == [7]
    assert peer.call(start_request(path, [FLOW4.vk], 2, 2)) == STARTED_RESPONSE
    assert peer.call(queue_request(2, good(FLOW4))) == QUEUED_RESPONSE
    assert peer.call(STOP)[0] == "ErrorResponse"
    peer.is_served()


def test_stop_without_results_and_readers(peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    peer.request(start_request(path), STOP)
    assert [msgpack.unpackb(peer.receive() or b"") for _ in range(2)] == [STARTED_RESPONSE, STOPPED_RESPONSE]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.write_text("precious"), "is not a FIFO"),
        (lambda path: path.mkdir(), "is not a FIFO"),
    ],
)
def test_a_missing_fifo_is_an_error_of_start(peer: Peer, tmp_path: Path, make: Callable[[Path], object], words: str) -> None:
    path = tmp_path / "fifo"
    make(path)
    name, fields = peer.call(start_request(path))
    assert name == "ErrorResponse"
    assert fields["message"].startswith(f"ChonkBatchVerifierStart: fifo_path '{path}'")
    assert words in fields["message"]
    assert is_error(msgpack.packb(peer.call(queue_request(1))))
    assert path.is_dir() or not path.exists() or path.read_text() == "precious"


def test_a_path_with_a_zero_byte(peer: Peer) -> None:
    assert peer.call(start_request(Path("a\0b")))[0] == "ErrorResponse"


def test_ids_may_not_repeat(peer: Peer, tmp_path: Path) -> None:
    """As long as the result was not written; nobody reads it here until the second was refused."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    for payload in (start_request(path), queue_request(5), queue_request(2**64 - 1)):
        assert peer.call(payload)[0].startswith("ChonkBatchVerifier")
    name, fields = peer.call(queue_request(5))
    assert name == "ErrorResponse"
    assert fields["message"].startswith("ChonkBatchVerifierQueue: request_id 5 is already in use")
    reader = FifoReader(path)
    assert {reader.next()["request_id"], reader.next()["request_id"]} == {5, 2**64 - 1}  # type: ignore[index]
    assert peer.call(queue_request(5)) == QUEUED_RESPONSE  # free again
    assert peer.call(STOP) == STOPPED_RESPONSE
    assert len(reader.until_end()) == 3


def test_the_next_reader_gets_what_the_first_one_left(peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert peer.call(start_request(path)) == STARTED_RESPONSE
    os.close(descriptor)
    assert peer.call(queue_request(1)) == QUEUED_RESPONSE
    reader = FifoReader(path)
    assert peer.call(STOP) == STOPPED_RESPONSE
    assert [result["request_id"] for result in reader.until_end()] == [1]


def test_pipelined_calls_keep_their_order(peer: Peer, tmp_path: Path) -> None:
    """Start and Stop take their time; what is behind them waits, also if it is tagged."""
    first, second = FifoReader(tmp_path / "first"), FifoReader(tmp_path / "second")
    peer.request(
        queue_request(1), start_request(first.path), queue_request(2), STOP, start_request(second.path), queue_request(2), STOP
    )
    names = [msgpack.unpackb(peer.receive() or b"")[0] for _ in range(7)]
    assert names[0] == "ErrorResponse"
    assert names[1:] == [response[0] for response in (STARTED_RESPONSE, QUEUED_RESPONSE, STOPPED_RESPONSE) * 2]
    assert len(first.until_end()) == len(second.until_end()) == 1


def test_tagged_calls(peer: Peer, tmp_path: Path) -> None:
    reader = FifoReader(tmp_path / "fifo")
    commands = [msgpack.unpackb(payload)[0] for payload in (start_request(reader.path), queue_request(9), STOP)]
    peer.request(*(msgpack.packb([number, command]) for number, command in enumerate(commands, 1)))
    assert [msgpack.unpackb(peer.receive() or b"") for _ in range(3)] == [
        [1, STARTED_RESPONSE], [2, QUEUED_RESPONSE], [3, STOPPED_RESPONSE],
    ]  # fmt: skip
    assert len(reader.until_end()) == 1
