"""A small server with one planted fault: `python planted.py FAULT` speaks the pipe protocol on standard input and output,
`python planted.py FAULT --input X.sock` at a socket, with several clients.

It knows Blake2s, the verifications, ChonkDecompressProof and Shutdown, and decides proofs by comparing them with valid ones:
enough to keep the rules that the tests need. FAULT "none" is the server that keeps them.
"""

import os
import select
import socket
import struct
import sys
from collections import deque
from contextlib import suppress
from hashlib import blake2s
from typing import Any

import msgpack

from bbipc.conform.elements import FR
from bbipc.conform.messages import read_id
from bbipc.conform.samples import FIXED_WORDS, PARTS, SAMPLES, compressed, sample, split
from bbipc.fuzzing.mutant import Mutant

LIMIT = 64 << 20
FAULT = sys.argv[1]


class Refused(Exception):
    """The request is malformed."""


def unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    found = dict(pairs)
    if len(found) != len(pairs) and FAULT != "repeated-key":
        raise Refused("repeated key")
    return found


def field_of(fields: dict[str, Any], name: str, kind: type) -> Any:
    if name not in fields or not isinstance(fields[name], kind):
        raise Refused(f"{name} is missing or of another type")
    return fields[name]


def words_of(words: Any, where: str) -> list[bytes]:
    if not isinstance(words, list):
        raise Refused(f"{where}: expected an array")
    checked = []
    for index, item in enumerate(words):
        value = item
        if FAULT == "accepts-33-bytes" and isinstance(value, bytes) and len(value) == 33:
            value = value[1:]
        if not isinstance(value, bytes) or len(value) != 32:
            raise Refused(f"{where}[{index}]: {len(value) if isinstance(value, bytes) else value} bytes, expected 32")
        if int.from_bytes(value, "big") >= FR:
            raise Refused(f"{where}[{index}]: not below the modulus")
        checked.append(value)
    return checked


def is_valid(proof: dict[str, Any], key: bytes) -> bool:
    parts = {name: words_of(proof.get(name), f"proof.{name}") for name in PARTS}
    for flow in map(sample, SAMPLES):
        if FAULT == "ignores-g0":  # the wrong verdict on one mutation
            parts["ipa_proof"][60:62] = flow.parts["ipa_proof"][60:62]
        if Mutant(parts, key, "", flow).reads_as_base:
            return FAULT != "always-invalid"
    return False


def answer(name: str, fields: dict[str, Any]) -> list[Any]:
    if name == "Blake2s":
        return ["Blake2sResponse", {"hash": blake2s(field_of(fields, "data", bytes)).digest()}]
    if name == "ChonkVerify":
        return ["ChonkVerifyResponse", {"valid": is_valid(field_of(fields, "proof", dict), field_of(fields, "vk", bytes))}]
    if name == "ChonkVerifyFromFields":
        flat = words_of(field_of(fields, "proof", list), "proof")
        verdict = len(flat) >= FIXED_WORDS and is_valid(split(b"".join(flat)), field_of(fields, "vk", bytes))
        return ["ChonkVerifyFromFieldsResponse", {"valid": verdict}]
    if name == "ChonkBatchVerify":
        proofs, keys = field_of(fields, "proofs", list), field_of(fields, "vks", list)
        verdicts = [is_valid(proof, key) for proof, key in zip(proofs, keys, strict=True)]
        return ["ChonkBatchVerifyResponse", {"valid": any(verdicts) if FAULT == "batch-any" else all(verdicts)}]
    if name == "ChonkDecompressProof":
        if field_of(fields, "compressed_proof", bytes) != compressed("flow1"):
            raise Refused("not the compressed proof that is known here")
        return ["ChonkDecompressProofResponse", {"proof": sample("flow1").parts}]
    if name == "Shutdown":
        return ["ShutdownResponse", {}]
    if name == "Poseidon2Hash":
        return ["Poseidon2HashResponse", {"hash": bytes(32)}]  # it is asked only whether it answers
    if name == "GrumpkinReduce512":
        return ["GrumpkinReduce512Response", {"value": bytes(32)}]
    raise Refused(f"unknown command {name!r}")


class Server:
    last: "tuple[Server, bytes] | None" = None

    def __init__(self, output: int = 1) -> None:
        self.fd = output
        self.output = bytearray()
        self.slow: dict[int, list[Any]] = {}
        self.plain = 0
        self.tagged = 0
        self.held = b""
        self.kept: deque[bytes] = deque()
        self.stopped = False

    def put(self, response: list[Any], request_id: int | None) -> None:
        named = self.id_of(request_id)
        if request_id is not None:
            self.tagged += 1
            if FAULT == "loses-tagged" and self.tagged % 700 == 0:
                return
        payload = msgpack.packb(response if named is None else [named, response])
        if FAULT == "extra-in-frame":
            payload += b"\xc0"
        frame = struct.pack("<I", len(payload)) + payload
        if FAULT == "answers-of-another":
            frame = self.exchanged(frame)
        self.output += self.delayed(frame, request_id) * (2 if FAULT == "answers-twice" else 1)

    def id_of(self, request_id: int | None) -> Any:
        """The id in the response."""
        if request_id is None:
            return 0 if FAULT == "id-zero-answered" else None
        return {"wrong-id": request_id + 1, "id-as-str": str(request_id), "id-of-32-bits": request_id % 2**32}.get(
            FAULT, request_id
        )

    def exchanged(self, frame: bytes) -> bytes:
        """What another client was answered last, if the last answer was not to this one."""
        owner, answer = Server.last or (self, frame)
        Server.last = (self, frame)
        return frame if owner is self else answer

    def delayed(self, frame: bytes, request_id: int | None) -> bytes:
        """Two plain responses in the wrong order, but only after many."""
        if FAULT != "swaps-under-load" or request_id is not None:
            return frame
        self.plain += 1
        if self.plain == 300:
            self.held = frame
            return b""
        frame, self.held = frame + self.held, b""
        return frame

    def handle(self, payload: bytes) -> None:
        request_id = read_id(payload)
        try:
            request = self.parse(payload)
            if len(request) == 2 and type(request[0]) is int and request[0] >= 0:
                del request[0]
            if len(request) != 1:
                raise Refused("expected [Command] or [request_id, Command]")
            self.run(request[0], request_id)
        except Refused as error:
            if FAULT == "dies-on-garbage":
                os._exit(1)
            if FAULT == "silent-on-error":
                return
            self.put(["ErrorResponse", {"message": str(error)}], None if FAULT == "error-without-id" else request_id)

    def parse(self, payload: bytes) -> list[Any]:
        unpacker = msgpack.Unpacker(object_pairs_hook=unique, strict_map_key=False, max_buffer_size=LIMIT)
        unpacker.feed(payload)
        try:
            request = unpacker.unpack()
        except (ValueError, TypeError, msgpack.UnpackException) as error:  # TypeError: a key that cannot be hashed
            raise Refused(f"not msgpack: {error!r}") from None
        if unpacker.tell() != len(payload) and FAULT != "trailing-bytes":
            raise Refused("bytes behind the request")
        if not isinstance(request, list):
            raise Refused("expected an array")
        return request

    def run(self, command: Any, request_id: int | None) -> None:
        match command:
            case [str(name), dict(fields)]:
                pass
            case _:
                raise Refused("expected [name, map]")
        if request_id in self.slow and FAULT != "serves-duplicates":
            raise Refused(f"id {request_id} is in flight")
        response = answer(name, fields)
        if name == "Shutdown":
            self.finish_slow()
            self.stopped = FAULT != "stays-after-shutdown"
        if name == "ChonkVerify" and (request_id is not None or FAULT == "slow-last"):
            self.slow[request_id or 0] = response
            return
        self.put(response, request_id)

    def finish_slow(self) -> None:
        for request_id, response in self.slow.items():
            self.put(response, request_id or None)
        self.slow.clear()

    def flush(self) -> None:
        data, self.output = bytes(self.output), bytearray()
        if FAULT == "swaps-two" and len(data) > 2 * 61:
            data = data[61:122] + data[:61] + data[122:]
        if FAULT == "prints" and data:
            data = b"ready\n" + data
        if FAULT == "reads-on":
            # Keep in memory what nobody reads, instead of waiting.
            os.set_blocking(1, False)
            self.kept.append(data)
            with suppress(BlockingIOError):
                while self.kept:
                    self.kept[0] = self.kept[0][os.write(1, self.kept[0]) :]
                    if not self.kept[0]:
                        self.kept.popleft()
            return
        while data:
            data = data[os.write(self.fd, data) :]


def is_object(data: bytes) -> bool:
    """Whether msgpack is complete."""
    try:
        msgpack.unpackb(data, strict_map_key=False)
    except (ValueError, msgpack.UnpackException):
        return False
    return True


def serve(server: Server, buffer: bytes) -> bytes | None:
    """Answer the complete frames of the buffer; what is left of it, or None behind a frame that is too long."""
    while len(buffer) >= 4 and not server.stopped:
        (length,) = struct.unpack_from("<I", buffer)
        if length > LIMIT:
            server.put(["ErrorResponse", {"message": "too long"}], None)
            return None
        if FAULT == "answers-early" and len(buffer) < 4 + length and is_object(buffer[4:]):
            length = len(buffer) - 4
        if FAULT == "allocates":
            server.reserved = bytearray(b"\1") * length  # type: ignore[attr-defined]
        if len(buffer) < 4 + length:
            break
        server.handle(buffer[4 : 4 + length])
        buffer = buffer[4 + length :]
    return buffer


def main() -> int:
    server = Server()
    buffer: bytes | None = b""
    while True:
        buffer = serve(server, buffer)
        server.finish_slow()
        server.flush()
        if server.stopped or buffer is None:
            return 0 if server.stopped else 1
        data = os.read(0, 1 << 16)
        if not data:
            if FAULT == "extra-at-end":
                os.write(1, b"bye")
            return 1 if buffer and FAULT != "exit-0" else 0
        buffer += b"" if FAULT == "hangs" else data


def listen(path: str) -> None:
    """Serve clients for ever."""
    clients: dict[socket.socket, tuple[Server, bytes]] = {}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        while True:
            for ready in select.select([listener, *clients], [], [])[0]:
                if ready is listener:
                    client = listener.accept()[0]
                    clients[client] = (Server(client.fileno()), b"")
                    continue
                server, buffer = clients.pop(ready)
                data = ready.recv(1 << 16)
                rest = serve(server, buffer + data)
                server.finish_slow()
                server.flush()
                if data and rest is not None:
                    clients[ready] = (server, rest)
                else:
                    ready.close()


if "--input" in sys.argv:
    listen(sys.argv[sys.argv.index("--input") + 1])
sys.exit(main())
