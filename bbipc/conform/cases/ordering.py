"""Suite ordering: which response comes when."""

# ruff: noqa: D103 - the rule of a case is its documentation

from bbipc.conform.case import Suite, broken
from bbipc.conform.cases.common import changed, collect, expect_hashes, verify_call
from bbipc.conform.elements import word
from bbipc.conform.lab import Lab
from bbipc.conform.messages import Reply, blake2s_request, blake2s_response, verdict_of
from bbipc.conform.samples import PARTS, sample

suite = Suite("ordering", "docs/protocol.md section 2")


def _invalid(request_id: int | None = None) -> bytes:
    """A proof that fails soon: its first public input is changed."""
    flow1 = sample("flow1")
    return verify_call(changed(flow1, PARTS[0], 0, word(7)), flow1.key, request_id)


def _valid(request_id: int | None = None) -> bytes:
    flow1 = sample("flow1")
    return verify_call(flow1.parts, flow1.key, request_id)


@suite.case(
    "plain-fifo",
    "Plain responses come in the order of their requests, however long each takes.",
    recorded=("framing/two_pipelined",),
)
async def plain_fifo(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(_valid(), "ChonkVerify of a valid proof")
        await peer.send(blake2s_request(b"1"), "Blake2s '1'")
        await peer.send(_invalid(), "ChonkVerify of an invalid proof")
        await peer.send(blake2s_request(b"2") + blake2s_request(b"3"), "Blake2s '2' and '3'")
        await peer.send(_valid(), "ChonkVerify of a valid proof")
        for outcome in ("valid", "1", "invalid", "2", "3", "valid"):
            reply = await peer.receive()
            if outcome in ("valid", "invalid"):
                if verdict_of(reply) not in lab.expected(outcome):
                    broken(f"the verdict {outcome} in its place", reply)
            elif reply.response != blake2s_response(outcome.encode()):
                broken(f"the hash of {outcome!r} in its place", reply)
        await peer.finish()


@suite.case("errors-fifo", "Errors keep their place among plain responses.", source="docs/protocol.md section 3")
async def errors_fifo(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(_valid(), "ChonkVerify of a valid proof")
        await peer.send(b"\x01\0\0\0\x90" + blake2s_request(b"1"), "an empty array, and Blake2s '1'")
        first = await peer.receive("the verdict")
        if verdict_of(first) not in lab.expected("valid"):
            broken("the verdict before the error of the request behind it", first)
        await peer.expect_error(what="the ErrorResponse behind the verdict")
        await peer.expect(blake2s_response(b"1"))
        await peer.finish()


@suite.case(
    "tagged-overtakes-plain",
    "A tagged request does not wait for plain ones before it: a hash overtakes verifications.",
    tagged=True,
)
async def tagged_overtakes_plain(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(_valid() * 4 + blake2s_request(b"abc", 1), "4 plain ChonkVerify, then [1, Blake2s]")
        replies = [await peer.receive() for _ in range(5)]
        if [reply.request_id for reply in replies].count(1) != 1:
            broken("4 plain verdicts and one response with id 1", ", ".join(map(str, replies)))
        if replies[-1].request_id == 1:
            broken("the hash before the last of 4 verdicts", "the hash came last")
        await peer.finish()


@suite.case(
    "plain-overtakes-tagged",
    "A plain request does not wait for tagged ones before it: a hash overtakes verifications.",
    tagged=True,
)
async def plain_overtakes_tagged(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(
            b"".join(_valid(index) for index in range(1, 5)) + blake2s_request(b"abc"), "4 tagged ChonkVerify, then Blake2s"
        )
        replies = [await peer.receive() for _ in range(5)]
        if [reply.request_id for reply in replies].count(None) != 1:
            broken("4 tagged verdicts and one plain response", ", ".join(map(str, replies)))
        if replies[-1].request_id is None:
            broken("the hash before the last of 4 verdicts", "the hash came last")
        await peer.finish()


@suite.case("verdicts-by-id", "Each id gets the verdict of its own proof, whatever is verified beside it.", tagged=True)
async def verdicts_by_id(lab: Lab) -> None:
    wanted = {index: "invalid" if index % 3 == 0 else "valid" for index in range(1, 13)}
    async with lab.peer() as peer:
        for index, verdict in wanted.items():
            await peer.send((_valid if verdict == "valid" else _invalid)(index), f"[{index}, ChonkVerify], {verdict}")
        got: dict[int, Reply] = await collect(peer, wanted)
        for index, verdict in wanted.items():
            if verdict_of(got[index]) not in lab.expected(verdict):
                broken(f"{verdict} for id {index}", got[index])
        await peer.finish()


@suite.case(
    "none-lost", "Under load no response is lost: 2000 tagged and 500 plain requests, verifications among them.", tagged=True
)
async def none_lost(lab: Lab) -> None:
    async with lab.peer() as peer:
        for start in range(1, 2001, 100):
            verification = _invalid(5000 + start)
            some = b"".join(blake2s_request(b"t%d" % index, index) for index in range(start, start + 100))
            others = b"".join(blake2s_request(b"p%d" % (start + index)) for index in range(25))
            await peer.send(verification + some + others, f"ids {start} to {start + 99}, 25 plain ones, 1 verification")
        plain = [b"p%d" % (start + index) for start in range(1, 2001, 100) for index in range(25)]
        # The end of input makes every server tell at once that it owes nothing more: a lost response is not waited for.
        await peer.close_sending()
        replies = await peer.drain()
        expect_hashes([reply for reply in replies if reply.request_id is None], plain)
        tagged = {reply.request_id: reply for reply in replies if reply.request_id is not None}
        if len(replies) != len(plain) + len(tagged):
            broken("each id answered once", f"{len(replies) - len(plain)} responses for {len(tagged)} ids")
        for index in range(1, 2001):
            if index not in tagged or tagged[index].response != blake2s_response(b"t%d" % index):
                broken(f"the hash of b't{index}' for id {index}", tagged.get(index, "nothing"))
        missing = [start for start in range(1, 2001, 100) if 5000 + start not in tagged]
        if missing:
            broken("all 20 verdicts", f"none for the ids {[5000 + start for start in missing]}")
