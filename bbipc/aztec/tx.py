"""A transaction as bytes (chapter 15 section 1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from bbipc.aztec.errors import TxFormatError
from bbipc.aztec.forms import FORMS, Form, form_of
from bbipc.aztec.hashes import hash_elements
from bbipc.aztec.layout import Array, read, size
from bbipc.aztec.parts import CLASS_LOG_WORDS, NON_CANONICAL, HashedValues, TxParts, check_word, check_words
from bbipc.aztec.proof import ProofForm, TxProof, form_and_size
from bbipc.aztec.records import PublicCallRequest, TxConstantData, TxData
from bbipc.aztec.tx_json import read_json, write_json
from bbipc.chonk.words import WORD, first_non_canonical

__all__ = ["ACCUMULATED", "Tx"]

ACCUMULATED: Final = (("end",), ("non_revertible_accumulated_data", "revertible_accumulated_data"))
"""The members of `data` that hold effects, by its flag."""

_CLASS_LOG_BYTES: Final = WORD * CLASS_LOG_WORDS
_MAX_ITEMS: Final = 255


@dataclass(frozen=True)
class Tx:
    """A transaction: what its bytes say, of which nothing is proved.

    Attributes:
        tx_hash: the hash that the transaction gives itself; `hash` computes the right one.
        data_bytes: what its proof is about, in its regular form: 38,557 bytes without public calls, 82,722 with them. `data`
            has the values.
        proof: its proof.
        contract_class_logs: the elements of each contract class log, 3023 * 32 bytes.
        public_calldata: the calldata of its public calls.
        irregularities: what was not in its regular form where this was read from, although nodes accept it. Not compared.

    Raises:
        TxFormatError: a part has a wrong size or an element is not canonical.
    """

    tx_hash: bytes
    data_bytes: bytes
    proof: TxProof = field(default_factory=TxProof)
    contract_class_logs: tuple[bytes, ...] = ()
    public_calldata: tuple[HashedValues, ...] = ()
    irregularities: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        check_word(self.tx_hash, "tx_hash")
        _check_data(self.data_bytes)
        for name, items in (("contract_class_logs", self.contract_class_logs), ("public_calldata", self.public_calldata)):
            if len(items) > _MAX_ITEMS:
                raise TxFormatError.at(name, None, f"{len(items)} items, expected at most {_MAX_ITEMS}")
        for index, log in enumerate(self.contract_class_logs):
            if len(log) != _CLASS_LOG_BYTES:
                problem = f"{len(log)} bytes, expected {_CLASS_LOG_BYTES}"
                raise TxFormatError.at(f"contract_class_logs[{index}]", None, problem)
            check_words(log, f"contract_class_logs[{index}]", None)

    # ---- What it says ----

    @property
    def form(self) -> Form:
        """Its form: with or without public calls."""
        return FORMS[self.data_bytes[0]]

    @cached_property
    def data(self) -> TxData:
        """The values of `data_bytes`."""
        return self.form.read(self.data_bytes)

    def public_inputs(self) -> bytes:
        """The public inputs of its proof: 1281 or 2784 elements of 32 bytes each, without those that the hiding kernel adds."""
        return self._public_inputs

    def hash(self) -> bytes:
        """The transaction hash, computed: Poseidon2 of the public inputs, 32 bytes."""
        return self._hash

    def calldata_hashes(self) -> list[bytes]:
        """The hashes of the public calldata, computed, in their order."""
        return [calldata.compute_hash() for calldata in self.public_calldata]

    def calls(self) -> list[PublicCallRequest]:
        """The public calls in their order: non-revertible, revertible, teardown; without those that are all zeros."""
        if not self.form.flag:
            return []
        paths = [f"{part}.public_call_requests" for part in ACCUMULATED[1]]
        found = [call for path in [*paths, "public_teardown_call_request"] for call in self.items(path)]
        return [call for call in found if call is not None]

    def items(self, path: str) -> list[Any]:
        """The records of an array of `data` (or the one record at `path`), in order, with None for each that is all zeros.

        It decodes nothing else, so that looking at a few parts is fast.
        """
        kind, offset = self.form.locate(path)
        item, count = (kind.of, kind.count) if isinstance(kind, Array) else (kind, 1)
        step, data = size(item), self.data_bytes
        starts = range(offset, offset + step * count, step)
        return [read(item, data, start) if any(data[start : start + step]) else None for start in starts]

    @cached_property
    def constants(self) -> TxConstantData:
        """`data.constants`, without decoding the rest."""
        constants: TxConstantData = read(TxConstantData, self.data_bytes, 1)
        return constants

    @cached_property
    def _public_inputs(self) -> bytes:
        return self.form.public_inputs(self.data_bytes)

    @cached_property
    def _hash(self) -> bytes:
        return hash_elements(self._public_inputs, self.form.separator)

    # ---- Bytes and JSON ----

    @classmethod
    def of(cls, data: TxData, **others: Any) -> "Tx":
        """A transaction with these values of `data`; `others` are attributes. Its hash is computed if it is not among them.

        Raises:
            TxFormatError: a value that cannot be written.
        """
        form = form_of(data)
        data_bytes = form.write(data)
        if "tx_hash" not in others:
            others["tx_hash"] = hash_elements(form.public_inputs(data_bytes), form.separator)
        return cls(data_bytes=data_bytes, **others)

    @classmethod
    def from_bytes(cls, data: bytes, *, strict: bool = False) -> "Tx":
        """A transaction from its binary form.

        Nodes accept bytes behind it, and bytes above 1 where a boolean stands. So does this method, and notes them in
        `irregularities`, unless it is told to be strict.

        Raises:
            TxFormatError: the bytes end too early, or an element is not canonical; or, if `strict`, an irregularity.
        """
        reader = _Reader(data)
        tx_hash = reader.word("tx_hash")
        body, irregularities = _regular_data(reader.data_part(), 32)
        proof = _read_proof(reader)
        count = reader.number(1, "contract_class_logs")
        logs = tuple(reader.words(CLASS_LOG_WORDS, f"contract_class_logs[{index}]") for index in range(count))
        calldata = []
        for index in range(reader.number(1, "public_calldata")):
            name = f"public_calldata[{index}]"
            values = reader.words(reader.number(4, f"{name}.values"), f"{name}.values")
            calldata.append(HashedValues(values, reader.word(f"{name}.hash")))
        if reader.rest:
            irregularities.append(f"{reader.rest} bytes after the transaction, which ends at byte {reader.position}")
        if strict and irregularities:
            raise TxFormatError(f"not in the regular form: {irregularities[0]}")
        return cls(tx_hash, body, proof, logs, tuple(calldata), tuple(irregularities))

    @property
    def size(self) -> int:
        """The bytes of its binary form."""
        values = sum(4 + len(calldata.values) + WORD for calldata in self.public_calldata)
        return WORD + len(self.data_bytes) + 4 + len(self.proof.content) + 2 + sum(map(len, self.contract_class_logs)) + values

    def to_bytes(self) -> bytes:
        """The binary form, regular in every respect."""
        parts = [self.tx_hash, self.data_bytes, self.proof.to_bytes()]
        parts += [bytes([len(self.contract_class_logs)]), *self.contract_class_logs, bytes([len(self.public_calldata)])]
        for calldata in self.public_calldata:
            parts += [(len(calldata.values) // WORD).to_bytes(4, "big"), calldata.values, calldata.hash]
        return b"".join(parts)

    @classmethod
    def from_json(cls, document: str | bytes | Mapping[str, Any], *, strict: bool = False) -> "Tx":
        """A transaction from the JSON of a node, as text or as the object that the text stands for; also from a whole JSON-RPC
        answer. See `from_bytes` for the rest."""
        return cls._from_parts(read_json(document), strict=strict)

    def to_json(self) -> str:
        """The JSON that a node gives."""
        proof = self.proof.to_bytes()
        return write_json(TxParts(self.tx_hash, self.data_bytes, proof, self.contract_class_logs, self.public_calldata))

    @classmethod
    def _from_parts(cls, parts: TxParts, *, strict: bool) -> "Tx":
        """A transaction of parts that were read one by one; without a hash, with the right one."""
        reader = _Reader(parts.data)
        body, irregularities = _regular_data(reader.data_part(), 0)
        if reader.rest:
            irregularities.append(f"{reader.rest} bytes after data, which ends at byte {reader.position}")
        reader = _Reader(parts.proof)
        parsed = _read_proof(reader)
        if reader.rest:
            irregularities.append(f"{reader.rest} bytes after the proof, which ends at byte {reader.position}")
        if strict and irregularities:
            raise TxFormatError(f"not in the regular form: {irregularities[0]}")
        tx_hash = parts.tx_hash
        if tx_hash is None:
            form = FORMS[body[0]]
            tx_hash = hash_elements(form.public_inputs(body), form.separator)
        return cls(tx_hash, body, parsed, parts.contract_class_logs, parts.public_calldata, tuple(irregularities))


class _Reader:
    """Takes one part after the other, and names the one in which the bytes end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    @property
    def rest(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self.position

    def take(self, count: int, name: str) -> bytes:
        if count > self.rest:
            problem = f"the bytes end at {len(self._data)}, expected {count} bytes here and found {self.rest}"
            raise TxFormatError.at(name, self.position, problem)
        self.position += count
        return self._data[self.position - count : self.position]

    def number(self, size: int, name: str) -> int:
        return int.from_bytes(self.take(size, f"the length of {name}"), "big")

    def words(self, count: int, name: str) -> bytes:
        start = self.position
        words = self.take(WORD * count, name)
        check_words(words, name, start)
        return words

    def word(self, name: str) -> bytes:
        return self.words(1, name)

    def data_part(self) -> bytes:
        """`data`, whose first byte tells how long it is."""
        start = self.position
        flag = self.take(1, "data.flag")[0]
        self.position = start
        form = FORMS[min(flag, 1)]
        if self.rest < form.size:
            place = form.place_at(self.rest)
            name, offset = ("data.flag", 0) if place is None else (f"data.{place.path}", place.offset)
            problem = f"the bytes end at {len(self._data)}, but data with a flag of {flag} has {form.size} bytes"
            raise TxFormatError.at(name, start + offset, problem)
        return self.take(form.size, "data")


def _read_proof(reader: _Reader) -> TxProof:
    form, size = form_and_size(reader.number(4, "proof"))
    if form is ProofForm.COMPRESSED:
        return TxProof(form, reader.take(size, "proof"))
    return TxProof(form, reader.words(size // WORD, "proof"))


def _regular_data(data: bytes, start: int) -> tuple[bytes, list[str]]:
    """`data` with every boolean as 0 or 1, and which of them were not; `start` is where `data` begins."""
    irregularities = []
    form = FORMS[min(data[0], 1)]
    for offset in (0, *form.flags):
        if data[offset] > 1:
            place = form.place_at(offset)
            name = "flag" if place is None else place.path
            irregularities.append(f"data.{name} at byte {start + offset} is {data[offset]}, a boolean is 0 or 1")
            data = data[:offset] + b"\1" + data[offset + 1 :]
    _check_canonical(form, data, start)
    return data, irregularities


def _check_data(data: bytes) -> None:
    form = FORMS[data[0]] if data and data[0] < len(FORMS) else None
    if form is None or len(data) != form.size or any(data[offset] > 1 for offset in form.flags):
        sizes = " or ".join(f"{form.size} bytes with a flag of {form.flag}" for form in FORMS)
        raise TxFormatError.at("data", None, f"{len(data)} bytes that are not in the regular form, expected {sizes}")
    _check_canonical(form, data, 0)


def _check_canonical(form: Form, data: bytes, start: int) -> None:
    index = first_non_canonical(form.public_inputs(data))
    if index >= 0:
        place = form.places[index]
        raise TxFormatError.at(f"data.{place.path}", start + place.offset, NON_CANONICAL)
