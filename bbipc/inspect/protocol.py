"""Files of the protocol around the proofs: transactions, circuit artifacts, and keys of other releases (chapter 15)."""

import json
import re
from dataclasses import dataclass
from typing import Any

from bbipc.aztec import Tx, TxFormatError
from bbipc.aztec.checks import other_system_of
from bbipc.aztec.detect import detect_tx
from bbipc.aztec.layout import Place, read
from bbipc.aztec.registry import RELEASE_4_KEY_SIZE, aztec
from bbipc.aztec.tx import ACCUMULATED
from bbipc.chonk import ChonkFormatError
from bbipc.chonk.unwrap import unwrap

__all__ = ["ProtocolReport", "artifact", "explain", "old_key", "transaction"]


@dataclass(frozen=True, slots=True)
class ProtocolReport:
    """What a file of the protocol is.

    Attributes:
        content: `transaction`, `artifact` or `old-key`.
        title: the same for people.
        size: bytes of the content.
        facts: what it says, by name, in order.
        elements: every leaf of a transaction's data: its name, its offset in the transaction, its kind and its value.
    """

    content: str
    title: str
    size: int
    facts: tuple[tuple[str, str], ...]
    elements: tuple[tuple[str, int, str, str], ...] = ()


def explain(data: bytes) -> ProtocolReport | None:
    """What `data` is; None if it is none of these."""
    old = old_key(data)
    if old is not None:
        return old
    found = artifact(data)
    if found is not None:
        return found
    try:
        return transaction(data)
    except TxFormatError:
        return None


def transaction(data: bytes) -> ProtocolReport:
    """A transaction in any encoding.

    Raises:
        TxFormatError: it is none; the message says where it stops making sense.
    """
    found = detect_tx(data)
    tx = found.tx
    values = (_element(tx, place) for place in sorted(tx.form.places, key=lambda place: place.offset))
    title = f"Aztec transaction {('without', 'with')[tx.form.flag]} public calls ({found.encoding.value})"
    return ProtocolReport("transaction", title, tx.size, _facts(tx), tuple(values))


def _facts(tx: Tx) -> tuple[tuple[str, str], ...]:
    constants, registry = tx.constants, aztec()
    release = registry.release(constants.vk_tree_root, constants.protocol_contracts_hash)
    chain_id, version = (int.from_bytes(word, "big") for word in (constants.tx_context.chain_id, constants.tx_context.version))
    network = registry.network_of(chain_id, version)
    own = tx.hash()
    known = f"{release.name}, by its key tree and protocol contracts" if release else other_system_of(tx, None)
    facts = [
        ("hash", _hex(own) + ("" if own == tx.tx_hash else f", but it calls itself {_hex(tx.tx_hash)}")),
        ("release", known or "unknown key tree: a proof under it proves nothing"),
        ("network", f"{network.name if network else 'unknown'} (chain id {chain_id}, rollup version {version})"),
        ("vk_tree_root", _hex(constants.vk_tree_root)),
        ("protocol_contracts_hash", _hex(constants.protocol_contracts_hash)),
        ("anchor block", str(constants.anchor_block_header.global_variables.block_number)),
        ("fee payer", _hex(tx.data.fee_payer)),
        ("expiration", str(tx.data.expiration_timestamp)),
        *_effects(tx),
        ("public calls", str(len(tx.calls()))),
        ("public calldata", str(len(tx.public_calldata))),
        ("elements of contract class logs", f"of {len(tx.contract_class_logs)} logs"),
        ("proof", f"{tx.proof.form.value}, {len(tx.proof.content)} bytes"),
    ]
    return (*facts, *(("irregular", text) for text in tx.irregularities))


def _effects(tx: Tx) -> list[tuple[str, str]]:
    """How many effects of each kind are not empty."""
    names = ("note_hashes", "nullifiers", "l2_to_l1_msgs", "private_logs", "contract_class_logs_hashes")
    parts = ACCUMULATED[tx.form.flag]
    counts = {name: sum(item is not None for part in parts for item in tx.items(f"{part}.{name}")) for name in names}
    return [(name.replace("_", " "), str(count)) for name, count in counts.items()]


def _element(tx: Tx, place: Place) -> tuple[str, int, str, str]:
    value = read(place.leaf, tx.data_bytes, place.offset)
    return place.path, 32 + place.offset, place.leaf.name, _hex(value) if isinstance(value, bytes) else str(value).lower()


def artifact(data: bytes) -> ProtocolReport | None:
    """The JSON of a compiled circuit, as Noir writes it; None if it is something else."""
    try:
        content = unwrap(data).content
        document = json.loads(content) if content.lstrip()[:1] == b"{" else None
    except (ValueError, RecursionError, ChonkFormatError):
        return None
    if not isinstance(document, dict) or not {"bytecode", "abi"} <= set(document):
        return None
    facts = [(name, str(document[name])[:80]) for name in ("aztec_version", "noir_version", "hash") if name in document]
    key = _key_of(document.get("verificationKey"))
    if key is not None:
        facts.append(("verification key", f"{len(key)} bytes, {aztec().name_of_key(key) or 'not in the registry'}"))
    facts.append(("bytecode", f"{len(str(document['bytecode']))} characters"))
    return ProtocolReport("artifact", "artifact of a Noir circuit", len(content), tuple(facts))


def _key_of(spelled: Any) -> bytes | None:
    digits = spelled.get("bytes") if isinstance(spelled, dict) else None
    if not isinstance(digits, str) or not re.fullmatch(r"(?:0x)?(?:[0-9a-fA-F]{2})+", digits):
        return None
    return bytes.fromhex(digits.removeprefix("0x"))


def old_key(data: bytes) -> ProtocolReport | None:
    """A key of releases 4.x, by its size; None if it is something else."""
    try:
        content = unwrap(data).content
    except ChonkFormatError:
        return None
    if len(content) != RELEASE_4_KEY_SIZE:
        return None
    facts = (("release", "4.x, another proof system: proofs under this key cannot be verified here"),)
    return ProtocolReport("old-key", "verification key of a hiding kernel, release 4.x", len(content), facts)


def _hex(word: bytes) -> str:
    return "0x" + word.hex()
