"""Frames and conversations, for Hypothesis.

Every frame carries what must answer it. A frame that was changed at random carries the least that the law demands: one
response, in its place.
"""

from dataclasses import replace
from random import Random
from typing import Any, Final

import msgpack
from hypothesis import strategies as st

from bbipc.conform.elements import FR, word
from bbipc.conform.judge import Expectation, Turn
from bbipc.conform.messages import blake2s_response, command, plain, read_id, tagged
from bbipc.conform.samples import PARTS, SAMPLES, sample
from bbipc.conform.script import Script
from bbipc.fuzzing.mutant import Mutant
from bbipc.fuzzing.mutation import mutate

__all__ = ["proof_turns", "scripts"]

_MAX_TURNS: Final = 12
_MAX_CUTS: Final = 12
_SHUTDOWN: Final = b"Shutdown"
_REQUEST_IDS: Final = st.one_of(st.integers(1, 6), st.integers(1, 2**64 - 1))


def _value() -> st.SearchStrategy[Any]:
    """Any msgpack value, not large."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.binary(max_size=40), st.text(max_size=20)
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
        max_leaves=8,
    )


def _addressed(draw: st.DrawFn, encoded: bytes, *, tags: bool) -> bytes:
    """A command as a plain or a tagged request."""
    if tags and draw(st.booleans()):
        return tagged(draw(_REQUEST_IDS), encoded)
    return plain(encoded)


@st.composite
def _hash_turns(draw: st.DrawFn, *, tags: bool) -> Turn:
    data = draw(st.binary(max_size=60))
    payload = _addressed(draw, command("Blake2s", {"data": data}), tags=tags)
    return Turn(payload, "Blake2s", Expectation(response=msgpack.packb(blake2s_response(data))))


@st.composite
def _cheap_turns(draw: st.DrawFn, *, tags: bool) -> Turn:
    element = st.one_of(st.integers(0, 3), st.integers(0, FR - 1), st.just(FR), st.just(2**256 - 1)).map(word)
    name, fields = draw(
        st.one_of(
            st.tuples(st.just("Poseidon2Hash"), st.fixed_dictionaries({"inputs": st.lists(element, max_size=5)})),
            st.tuples(
                st.just("Poseidon2Permutation"), st.fixed_dictionaries({"inputs": st.lists(element, min_size=3, max_size=5)})
            ),
            st.tuples(st.sampled_from(["Bn254FrSqrt", "Bn254FqSqrt"]), st.fixed_dictionaries({"input": element})),
            st.tuples(
                st.just("Bn254G1FromCompressed"), st.fixed_dictionaries({"compressed": st.binary(min_size=31, max_size=33)})
            ),
            st.tuples(st.just("GrumpkinReduce512"), st.fixed_dictionaries({"input": st.binary(min_size=63, max_size=65)})),
        )
    )
    return Turn(_addressed(draw, command(name, fields), tags=tags), name)


@st.composite
def _malformed_turns(draw: st.DrawFn, *, tags: bool) -> Turn:
    """A well-formed value that is no request, or a request for a command that nobody has."""
    kind = draw(st.sampled_from(["value", "command", "fields", "outer"]))
    if kind == "value":
        value = draw(_value().filter(lambda value: not isinstance(value, list)))
        return Turn(msgpack.packb(value), "no request", Expectation(error=True))
    if kind == "command":
        name = draw(st.text(max_size=12).map(lambda text: f"No{text}"))
        return Turn(_addressed(draw, command(name, {}), tags=tags), "unknown command", Expectation(error=True))
    if kind == "fields":
        fields = draw(_value().filter(lambda value: not (isinstance(value, dict) and isinstance(value.get("data"), bytes))))
        return Turn(_addressed(draw, command("Blake2s", fields), tags=tags), "wrong fields", Expectation(error=True))
    count = draw(st.sampled_from([0, 3, 4, 15]))
    return Turn(bytes((0x90 | count,)) + b"\xc0" * count, "array of another size", Expectation(error=True))


@st.composite
def _damaged_turns(draw: st.DrawFn, *, tags: bool) -> Turn:
    """A request with some bytes changed, cut, inserted or repeated."""
    turn = draw(st.one_of(_hash_turns(tags=tags), _cheap_turns(tags=tags), proof_turns(tags=tags)))
    payload = bytearray(turn.payload)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, min(len(payload), 200)))
        change = draw(st.sampled_from(["set", "cut", "insert", "drop"]))
        if change == "set" and at < len(payload):
            payload[at] = draw(st.integers(0, 255))
        elif change == "cut":
            del payload[at:]
        elif change == "insert":
            payload[at:at] = draw(st.binary(min_size=1, max_size=4))
        else:
            del payload[at : at + draw(st.integers(1, 4))]
    damaged = bytes(payload)
    if _SHUTDOWN in damaged or (not tags and read_id(damaged) is not None):
        return turn
    return Turn(damaged, f"damaged {turn.note}")


@st.composite
def _garbage_turns(draw: st.DrawFn, *, tags: bool) -> Turn:
    payload = draw(st.binary(max_size=40).filter(lambda data: _SHUTDOWN not in data and (tags or read_id(data) is None)))
    return Turn(payload, "random bytes")


@st.composite
def proof_turns(draw: st.DrawFn, *, tags: bool, setup: str = "test") -> Turn:
    """A proof, changed in a structured way; a valid one must be found valid, a changed one gets any verdict but a lie:
    whatever is not the proof in another split must not be valid."""
    base = sample(draw(st.sampled_from(SAMPLES)))
    mutant = mutate(base, Random(draw(st.integers(0, 2**32))), [sample(name) for name in SAMPLES])
    if draw(st.integers(0, 19)) == 0:
        mutant = Mutant(base.parts, base.key, "nothing", base)
    if draw(st.integers(0, 3)) == 0:
        words = [item for name in PARTS for item in mutant.parts[name]]
        encoded = command("ChonkVerifyFromFields", {"proof": words, "vk": mutant.key})
        is_same = words == base.fields and mutant.has_key_of_base
    else:
        encoded = command("ChonkVerify", {"proof": mutant.parts, "vk": mutant.key})
        is_same = mutant.reads_as_base
    outcomes: tuple[str, ...] = ("invalid", "error")
    if mutant.is_base:
        outcomes = ("valid",) if setup == "test" else ("invalid",)
    elif setup == "test" and is_same:
        outcomes = ("valid", "invalid", "error")
    return Turn(_addressed(draw, encoded, tags=tags), f"proof of {base.name}, {mutant.what}", Expectation(outcomes=outcomes))


@st.composite
def scripts(draw: st.DrawFn, *, tags: bool, setup: str, clients: int = 1) -> Script:
    """A conversation: any frames of up to so many clients, cut anywhere, their writes in any order."""
    turn = st.one_of(
        _hash_turns(tags=tags),
        _cheap_turns(tags=tags),
        _malformed_turns(tags=tags),
        _garbage_turns(tags=tags),
        _damaged_turns(tags=tags),
        proof_turns(tags=tags, setup=setup),
    )
    turns = draw(st.lists(turn, min_size=1, max_size=_MAX_TURNS))
    count = draw(st.integers(1, min(clients, len(turns))))
    length = sum(4 + len(turn.payload) for turn in turns)
    cuts = draw(st.lists(st.one_of(st.integers(1, 64), st.integers(1, max(length, 1))), max_size=_MAX_CUTS))
    # The first frames belong to one client each, so that none is without.
    owners = [
        *range(count),
        *draw(st.lists(st.integers(0, count - 1), min_size=len(turns) - count, max_size=len(turns) - count)),
    ]
    order = draw(st.lists(st.integers(0, count - 1), max_size=2 * _MAX_CUTS)) if count > 1 else []
    owned = tuple(replace(turn, client=owner) for turn, owner in zip(turns, owners, strict=True))
    return Script(owned, tuple(sorted(set(cuts))), setup=setup, order=tuple(order))
