"""Suite ordering: which response comes when."""

# ruff: noqa: D103 - the rule of a case is its documentation

from bbipc.conform.case import Suite, broken
from bbipc.conform.cases.common import collect, expect_hashes, invalid_call, take_verdict, valid_call
from bbipc.conform.lab import Lab
from bbipc.conform.messages import Reply, blake2s_request, blake2s_response, verdict_of

suite = Suite("ordering", "docs/protocol.md#dialects")


@suite.case(
    "plain-fifo",
    "Plain responses come in the order of their requests, however long each takes.",
    recorded=("framing/two_pipelined",),
)
async def plain_fifo(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(valid_call(), "ChonkVerify of a valid proof")
        await peer.send(blake2s_request(b"1"), "Blake2s '1'")
        await peer.send(invalid_call(), "ChonkVerify of an invalid proof")
        await peer.send(blake2s_request(b"2") + blake2s_request(b"3"), "Blake2s '2' and '3'")
        await peer.send(valid_call(), "ChonkVerify of a valid proof")
        for outcome in ("valid", "1", "invalid", "2", "3", "valid"):
            reply = await peer.receive()
            if outcome in ("valid", "invalid"):
                if verdict_of(reply) not in lab.expected(outcome):
                    broken(f"the verdict {outcome} in its place", reply)
            elif reply.response != blake2s_response(outcome.encode()):
                broken(f"the hash of {outcome!r} in its place", reply)
        await peer.finish()


@suite.case("errors-fifo", "Errors keep their place among plain responses.", source="docs/protocol.md#the-law")
async def errors_fifo(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(valid_call(), "ChonkVerify of a valid proof")
        await peer.send(b"\x01\0\0\0\x90" + blake2s_request(b"1"), "an empty array, and Blake2s '1'")
        await take_verdict(peer, lab)
        await peer.expect_error(what="the ErrorResponse behind the verdict")
        await peer.expect(blake2s_response(b"1"))
        await peer.finish()


@suite.case(
    "tagged-overtakes-plain",
    "A tagged request does not wait for plain ones before it: a hash overtakes verifications.",
    tagged=True,
)
async def tagged_overtakes_plain(lab: Lab) -> None:
    await _overtake(lab, (None,) * 4, 1)


@suite.case(
    "plain-overtakes-tagged",
    "A plain request does not wait for tagged ones before it: a hash overtakes verifications.",
    tagged=True,
)
async def plain_overtakes_tagged(lab: Lab) -> None:
    await _overtake(lab, (1, 2, 3, 4), None)


async def _overtake(lab: Lab, verifications: tuple[int | None, ...], hash_id: int | None) -> None:
    """A hash request behind verifications of the other dialect must be answered before the last of them."""
    async with lab.peer() as peer:
        requests = b"".join(map(valid_call, verifications)) + blake2s_request(b"abc", hash_id)
        await peer.send(requests, f"ChonkVerify with the ids {verifications}, then Blake2s with id {hash_id}")
        replies = [await peer.receive() for _ in (*verifications, hash_id)]
        if [reply.request_id for reply in replies].count(hash_id) != 1:
            broken("each verdict and the hash with their ids", ", ".join(map(str, replies)))
        if replies[-1].request_id == hash_id:
            broken("the hash before the last of 4 verdicts", "the hash came last")
        await peer.finish()


@suite.case("verdicts-by-id", "Each id gets the verdict of its own proof, whatever is verified beside it.", tagged=True)
async def verdicts_by_id(lab: Lab) -> None:
    wanted = {index: "invalid" if index % 3 == 0 else "valid" for index in range(1, 13)}
    async with lab.peer() as peer:
        for index, verdict in wanted.items():
            await peer.send((valid_call if verdict == "valid" else invalid_call)(index), f"[{index}, ChonkVerify], {verdict}")
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
            verification = invalid_call(5000 + start)
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
