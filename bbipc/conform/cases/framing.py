"""Suite framing."""

# ruff: noqa: D103 - the rule of a case is its documentation

from random import Random

from bbipc.conform.case import STREAMS, Suite
from bbipc.conform.cases.common import LAW, expect_hashes, one_error
from bbipc.conform.lab import Lab
from bbipc.conform.messages import blake2s_request, blake2s_response, command, frame, plain

suite = Suite("framing", "docs/protocol.md#frames")

ABC = blake2s_request(b"abc")


@suite.case("one-request", "A request frame is answered by exactly one response frame.", recorded=("framing/one_request",))
async def one_request(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(ABC, "Blake2s 'abc'")
        await peer.expect(blake2s_response(b"abc"))
        await peer.finish()


@suite.case(
    "split-writes",
    "A frame may arrive in any pieces, down to single bytes.",
    transport=STREAMS,
    recorded=("framing/split_writes", "socket/mode_and_split"),
)
async def split_writes(lab: Lab) -> None:
    async with lab.peer() as peer:
        for index in range(len(ABC)):
            await peer.send(ABC[index : index + 1], f"byte {index}")
        await peer.expect(blake2s_response(b"abc"))
        await peer.finish()


@suite.case(
    "pipelined",
    "Frames may follow each other without waiting for responses.",
    recorded=("framing/two_pipelined", "socket/pipelined"),
)
async def pipelined(lab: Lab) -> None:
    async with lab.peer() as peer:
        data = [bytes((index,)) for index in range(100)]
        await peer.send(b"".join(map(blake2s_request, data)), "100 requests in one write")
        expect_hashes([await peer.receive() for _ in data], data)
        await peer.finish()


@suite.case("chunkings", "Where a stream of frames is cut into writes makes no difference.", transport=STREAMS)
async def chunkings(lab: Lab) -> None:
    random = Random(1)
    async with lab.peer() as peer:
        for _ in range(8):
            data = [random.randbytes(random.choice((0, 1, 300, 5000))) for _ in range(12)]
            stream = b"".join(map(blake2s_request, data))
            cuts = sorted(random.sample(range(1, len(stream)), 20))
            for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
                await peer.send(stream[start:end], f"bytes {start} to {end} of 12 requests")
            expect_hashes([await peer.receive() for _ in data], data)
        await peer.finish()


@suite.case("large-frame", "A frame of some MiB is served like a small one.")
async def large_frame(lab: Lab) -> None:
    mib = 1 if lab.target.transport == "shm" else 4  # a ring of 4 MiB takes messages of less than 2
    data = bytes(range(256)) * 4096 * mib
    async with lab.peer() as peer:
        await peer.send(blake2s_request(data), f"Blake2s of {mib} MiB")
        await peer.expect(blake2s_response(data), what=f"the hash of {mib} MiB")
        await peer.check_alive()
        await peer.finish()


@suite.case(
    "ring-wraps",
    "Messages of all lengths come through a ring in order, wherever it wraps.",
    source="docs/protocol.md#shared-memory",
    transport="shm",
)
async def ring_wraps(lab: Lab) -> None:
    random = Random(2)
    async with lab.peer() as peer:
        for _ in range(20):
            data = [random.randbytes(random.choice((0, 1, 77, 4000, 90_001, 1_500_000))) for _ in range(12)]
            await peer.send(b"".join(map(blake2s_request, data)), "12 requests")
            expect_hashes([await peer.receive() for _ in data], data)
        await peer.finish()


@suite.case(
    "zero-length",
    "A frame of length zero is a malformed request: one ErrorResponse.",
    source=LAW,
    recorded=("framing/zero_length_frame", "socket/bad_zero_length"),
)
async def zero_length(lab: Lab) -> None:
    async with lab.peer() as peer:
        await one_error(peer, frame(b""), "a frame of length 0")
        await peer.finish()


@suite.case(
    "trailing-bytes",
    "A frame holds exactly one msgpack object; bytes after it make the request malformed.",
    recorded=("framing/trailing_bytes", "socket/bad_trailing_bytes"),
)
async def trailing_bytes(lab: Lab) -> None:
    async with lab.peer() as peer:
        await one_error(peer, frame(ABC[4:] + b"\x01\x02\x03"), "a good request with 3 bytes after it in its frame")
        await peer.finish()


@suite.case(
    "two-objects",
    "Two requests in one frame are malformed: one ErrorResponse, not two responses.",
    recorded=("framing/two_objects_in_frame",),
)
async def two_objects(lab: Lab) -> None:
    async with lab.peer() as peer:
        await one_error(peer, frame(ABC[4:] + ABC[4:]), "two good requests in one frame")
        await peer.finish()


@suite.case(
    "big-endian-length",
    "A length is little-endian: read so, a big-endian one is over the limit.",
    recorded=("framing/big_endian_length",),
)
async def big_endian_length(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(len(ABC[4:]).to_bytes(4, "big") + ABC[4:], "a request with a big-endian length")
        await peer.expect_error(what="an ErrorResponse for a frame that is too long")
        await peer.expect_end("the end of the connection")


@suite.case(
    "wide-headers",
    "Headers need not be minimal: map32, array32, str32 and bin32 mean the same as short ones.",
    recorded=("msgpack_shape/map16_array32_headers",),
)
async def wide_headers(lab: Lab) -> None:
    wide = (
        b"\xdd\x00\x00\x00\x01\xdd\x00\x00\x00\x02\xdb\x00\x00\x00\x07Blake2s"
        b"\xdf\x00\x00\x00\x01\xdb\x00\x00\x00\x04data\xc6\x00\x00\x00\x03abc"
    )
    async with lab.peer() as peer:
        await peer.send(frame(wide), "Blake2s 'abc' with the widest headers")
        await peer.expect(blake2s_response(b"abc"))
        await peer.finish()


@suite.case(
    "extra-fields",
    "Fields that a command does not have are ignored.",
    source="docs/protocol.md#the-law",
    recorded=("framing/args_extra", "msgpack_shape/extra_key"),
)
async def extra_fields(lab: Lab) -> None:
    encoded = command("Blake2s", {"x": {"deep": [1, None]}, "data": b"abc", "y": 1.5})
    async with lab.peer() as peer:
        await peer.send(frame(plain(encoded)), "Blake2s 'abc' with two more fields")
        await peer.expect(blake2s_response(b"abc"))
        await peer.finish()
