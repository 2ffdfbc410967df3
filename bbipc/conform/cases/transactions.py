"""Suite transactions: the extension command VerifyTx (docs/protocol.md, docs/spec/15-transactions.md)."""

# ruff: noqa: D103 - the rule of a case is its documentation

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bbipc.conform.case import NotApplicable, Suite, broken
from bbipc.conform.cases.common import collect, valid_call
from bbipc.conform.lab import Lab
from bbipc.conform.messages import Reply, blake2s_request, blake2s_response, call, verdict_of
from bbipc.conform.peer import Peer
from bbipc.conform.samples import TESTNET_HASH, transaction

suite = Suite("transactions", "docs/protocol.md#extensions-of-bbs-protocol")

_PROOF_AT = 32 + 38557 + 4
"""Where the content of the proof begins in a transaction without public calls."""


def _request(tx: bytes, request_id: int | None = None, **fields: Any) -> bytes:
    return call("VerifyTx", {"tx": tx, **fields}, request_id)


async def _ask(peer: Peer, tx: bytes, text: str, **fields: Any) -> Reply:
    """The answer to one transaction; the request behind it must be answered, too."""
    data = peer.next_probe()
    await peer.send(_request(tx, **fields) + blake2s_request(data), f"VerifyTx of {text}; behind it Blake2s")
    reply = await peer.receive("a response to VerifyTx")
    if reply.response == blake2s_response(data):
        broken("a response to VerifyTx", "no response: the answer to the next request came at once")
    await peer.expect(blake2s_response(data), what="the answer to the request behind VerifyTx")
    return reply


@asynccontextmanager
async def _served(lab: Lab) -> AsyncIterator[Peer]:
    """A connection to a server that has the command at all; in the end nothing is left over on it."""
    async with lab.peer() as peer:
        reply = await _ask(peer, transaction("testnet"), "a transaction without a proof")
        if reply.is_error:
            raise NotApplicable(f"the server does not serve VerifyTx: {reply.message[:80]}")
        yield peer
        await peer.finish()


def _expect(reply: Reply, valid: bool, text: str) -> None:
    fields = reply.fields if reply.name == "VerifyTxResponse" else {}
    if fields.get("valid") is not valid or not isinstance(fields.get("tx_hash"), bytes) or bool(fields.get("reason")) is valid:
        broken(f"VerifyTxResponse with valid: {str(valid).lower()}, a hash and {'no' if valid else 'a'} reason: {text}", reply)


@suite.case(
    "valid",
    "A transaction is valid under its registry and setup, in the plain and the tagged dialect.",
    tagged=True,
)
async def valid(lab: Lab) -> None:
    if not lab.target.has_test_registry:
        raise NotApplicable("valid transactions need --setup test and {test-registry} in the command")
    async with _served(lab) as peer:
        _expect(await _ask(peer, transaction("valid"), "a valid transaction"), True, "it is valid")
        await peer.send(_request(transaction("valid"), 5) + valid_call(6), "the same with id 5, and a proof with id 6")
        got = await collect(peer, (5, 6))
        _expect(got[5], True, "it is valid in a batch, too")
        if verdict_of(got[6]) not in lab.expected("valid"):
            broken("the verdict on a valid proof beside it", got[6])


@suite.case(
    "unknown-key-tree",
    "A proof under a key tree that is not the protocol's is not valid, whatever it proves.",
    source="docs/spec/15-transactions.md section 7",
    tagged=True,
)
async def unknown_key_tree(lab: Lab) -> None:
    async with _served(lab) as peer:
        tx, at = transaction("valid"), 32 + 1 + 648 - 64
        for root in (tx[at : at + 32], bytes(31) + b"\7", bytes(32)):
            changed = tx[:at] + root + tx[at + 32 :]
            if lab.target.has_test_registry and changed == tx:
                continue
            _expect(await _ask(peer, changed, "a transaction with an unknown key tree"), False, "its key tree is unknown")


@suite.case(
    "changed",
    "A transaction whose data, hash or proof was changed is not valid; the hash is computed from its data.",
    source="docs/spec/15-transactions.md section 8",
    tagged=True,
)
async def changed(lab: Lab) -> None:
    async with _served(lab) as peer:
        tx = transaction("valid")
        hashes = set()
        for position in (31, 32 + 1 + 648 + 8 + 31, 32 + 38556, _PROOF_AT + 64192 - 1, 32 + 1 + 648 + 7):
            reply = await _ask(peer, tx[:position] + bytes([tx[position] ^ 1]) + tx[position + 1 :], f"a change at {position}")
            _expect(reply, False, f"byte {position} was changed")
            hashes.add(reply.fields["tx_hash"])
        if tx[:32] not in hashes or len(hashes) != 4:
            broken("the hash of the data, of which three were changed", f"{len(hashes)} different hashes")


@suite.case(
    "no-proof",
    "A transaction without a proof is not valid; its hash is that of the network.",
    source="docs/spec/15-transactions.md section 3",
    tagged=True,
)
async def no_proof(lab: Lab) -> None:
    async with _served(lab) as peer:
        reply = await _ask(peer, transaction("testnet"), "a transaction of the testnet without its proof")
        _expect(reply, False, "it has no proof")
        if reply.fields["tx_hash"] != TESTNET_HASH:
            broken(f"the hash {TESTNET_HASH.hex()}", reply)


@suite.case(
    "network",
    "A transaction is not valid for another network than its own, and an unknown network is an error.",
    tagged=True,
)
async def network(lab: Lab) -> None:
    async with _served(lab) as peer:
        _expect(await _ask(peer, transaction("valid"), "a transaction", network="mainnet"), False, "it is for the testnet")
        reply = await _ask(
            peer, transaction("valid"), "a transaction for a network that is not there", network="no such network"
        )
        if not reply.is_error:
            broken("an ErrorResponse for an unknown network", reply)


@suite.case(
    "unreadable",
    "Bytes that are not a transaction get one ErrorResponse, and nothing else is lost.",
    source="docs/protocol.md#the-law",
    tagged=True,
)
async def unreadable(lab: Lab) -> None:
    async with _served(lab) as peer:
        tx = transaction("valid")
        endless = tx[: _PROOF_AT - 4] + b"\xff\xff\xff\xff" + tx[_PROOF_AT:]
        element = tx[:33] + b"\xff" * 32 + tx[65:]
        for data in (b"", b"\0", tx[:-1], tx[: len(tx) // 2], endless, element, b"{}", b"\x1f\x8b" + bytes(60)):
            reply = await _ask(peer, data, f"{len(data)} bytes that are not a transaction")
            if not reply.is_error:
                broken("an ErrorResponse", reply)
