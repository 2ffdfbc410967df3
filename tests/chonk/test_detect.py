"""Everything that Aztec's tools write is read, and whatever is not a proof or key is named."""

import base64
import gzip
import json
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bbipc
from bbipc.aztec.registry import aztec
from bbipc.chonk import (
    ChonkFormatError,
    ChonkProof,
    Encoding,
    Outcome,
    Setup,
    VerificationKey,
    Verifier,
    detect_key,
    detect_proof,
    verify,
)
from bbipc.chonk.forms import guess_encoding
from bbipc.chonk.unwrap import MAX_CONTENT, unwrap
from samples import FLOW1, FLOW4

WORDS = [f"0x{FLOW1.fields[start : start + 32].hex()}" for start in range(0, len(FLOW1.fields), 32)]
KEY_WORDS = [f"0x{FLOW1.vk[start : start + 32].hex()}" for start in range(0, len(FLOW1.vk), 32)]
KEY = VerificationKey(FLOW1.vk)


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


PARTS = {
    camel(name): [f"0x{word.hex()}" for word in words]
    for name, words in ChonkProof.from_fields(FLOW1.fields).to_words().items()
}

LAYERS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "hex": lambda data: data.hex().encode(),
    "0x and a line end": lambda data: b"0x" + data.hex().encode() + b"\r\n",
    "hex in lines": lambda data: "\n".join(textwrap.wrap(data.hex(), 64)).encode(),
    "base64": base64.b64encode,
    "base64 in lines": base64.encodebytes,
    "base64 of URLs, bare": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    "gzip": gzip.compress,
    "gzip in base64": lambda data: base64.b64encode(gzip.compress(data)),
    "byte-order mark before hex": lambda data: b"\xef\xbb\xbf" + data.hex().encode(),
    "UTF-16 of a Windows shell": lambda data: b"\xff\xfe" + base64.b64encode(data).decode().encode("utf-16-le"),
    "JSON string of hex": lambda data: json.dumps("0x" + data.hex()).encode(),
    "JSON string of base64": lambda data: json.dumps(base64.b64encode(data).decode()).encode(),
    "JSON array of bytes": lambda data: json.dumps(list(data)).encode(),
    "JSON of a Buffer": lambda data: json.dumps({"type": "Buffer", "data": list(data)}).encode(),
    "JSON of a Uint8Array": lambda data: json.dumps({str(index): byte for index, byte in enumerate(data)}).encode(),
    "length of bytes in front": lambda data: len(data).to_bytes(4, "big") + data,
}

FORMS: dict[str, bytes] = {
    "words a line": "\n".join(WORDS).encode(),
    "short words a line": "\n".join(hex(int(word, 16)) for word in WORDS).encode(),
    "words with commas": ", ".join(WORDS).encode(),
    "JSON array of words": json.dumps(WORDS).encode(),
    "JSON array of decimal numbers": json.dumps([str(int(word, 16)) for word in WORDS]).encode(),
    "JSON array of bare hex": json.dumps([word[2:] for word in WORDS]).encode(),
    "JSON array of numbers": json.dumps([int(word, 16) for word in WORDS]).encode(),
    "JSON object of parts": json.dumps(PARTS).encode(),
    "JSON object with a proof of parts": json.dumps({"proof": PARTS, "other": 1}).encode(),
    "JSON object of bb.js": json.dumps({"proof": WORDS[32:], "publicInputs": WORDS[:32]}).encode(),
    "JSON object of Aztec": json.dumps({"fieldsWithPublicInputs": WORDS}).encode(),
    "number of words in front": (len(FLOW1.fields) // 32).to_bytes(4, "big") + FLOW1.fields,
}


@pytest.fixture
def accepted(setup: Setup) -> Callable[[ChonkProof, VerificationKey], bool]:
    return lambda proof, key: verify(proof, key, setup=setup).valid


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("file", ["fields", "msgpack", "compressed"])
@pytest.mark.parametrize("known", [True, False], ids=["key known", "key unknown"])
def test_proofs_in_layers(layer: str, file: str, known: bool) -> None:
    written = LAYERS[layer](getattr(FLOW1, file))
    detected = detect_proof(written, 32 if known else None)
    assert detected.proof.to_fields() == FLOW1.fields
    assert detected.encoding is Encoding(file)


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_flat_proof(form: str, accepted: Callable[[ChonkProof, VerificationKey], bool]) -> None:
    proof = ChonkProof.from_bytes(FORMS[form])
    assert proof.to_fields() == FLOW1.fields
    assert accepted(proof, KEY)
    assert detect_proof(gzip.compress(FORMS[form]), 32).proof == proof


@pytest.mark.parametrize("layer", LAYERS)
def test_keys_in_layers(layer: str) -> None:
    assert detect_key(LAYERS[layer](FLOW1.vk)).key == KEY


@pytest.mark.parametrize(
    "document",
    [
        KEY_WORDS,
        {
            "verificationKey": {"bytes": FLOW1.vk.hex(), "fields": KEY_WORDS, "hash": f"0x{KEY.hash.hex()}"},
            "abi": {},
            "bytecode": "",
        },
        {"bytes": FLOW1.vk.hex()},
        {"fields": KEY_WORDS},
        {"keyAsBytes": FLOW1.vk.hex(), "keyAsFields": KEY_WORDS},
        {"keyAsBytes": FLOW1.vk.hex(), "keyAsFields": {"key": KEY_WORDS, "hash": f"0x{KEY.hash.hex()}"}},
        {"vk": base64.b64encode(FLOW1.vk).decode()},
    ],
    ids=["words", "circuit artifact", "bytes", "fields", "vk.data.json", "vk.data.json with a hash", "vk"],
)
def test_keys_in_json(document: Any) -> None:
    assert detect_key(json.dumps(document).encode()).key == KEY


def test_the_artifact_of_a_real_circuit(tmp_path: Path) -> None:
    """As @aztec/noir-protocol-circuits-types has it: its bytes, its words and its hash."""
    key = aztec().key("aztec:5.2.0/to_public")
    words = [f"0x{key.to_bytes()[start : start + 32].hex()}" for start in range(0, len(key.to_bytes()), 32)]
    artifact = {
        "noir_version": "1.0.0-beta.22",
        "hash": "6946330765602505148",
        "abi": {"parameters": []},
        "bytecode": "H4sIAAAAAAAA",
        "verificationKey": {"bytes": key.to_bytes().hex(), "fields": words, "hash": f"0x{key.hash.hex()}"},
    }
    file = tmp_path / "hiding_kernel_to_public.json"
    file.write_text(json.dumps(artifact))
    assert VerificationKey.from_file(file) == key
    assert key.hash.hex().startswith("05200b2c")


DAMAGED_GZIP = gzip.compress(FLOW1.msgpack)[:-9]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "proof: nothing: it is empty"),
        (b"\xef\xbb\xbf", "proof: byte-order mark of nothing"),
        (FLOW1.vk, "a verification key, not a proof"),
        (FLOW1.vk.hex().encode(), "hex of a verification key, not a proof"),
        (base64.b64encode(b"neither proof nor key"), "base64 of 21 bytes of text that are not a proof"),
        (b"hello, world", "12 bytes of text that are not a proof"),
        (DAMAGED_GZIP, "gzip that ends too early"),
        (base64.b64encode(DAMAGED_GZIP), "base64 of gzip that ends too early"),
        (b"\x1f\x8b\x08" + b"\xff" * 30, "damaged gzip"),
        (gzip.compress(FLOW1.msgpack) + b"more", "gzip with 4 bytes after it"),
        (gzip.compress(bytes(MAX_CONTENT + 1)), "gzip of more than 64 MiB"),
        (b'{"proof": ', "damaged JSON"),
        (b"[" * 100_000, "damaged JSON"),
        (b'["0x1", "zz"]', "the JSON array, item 1: str that is not a number"),
        (b'["0x1' + b"0" * 64 + b'"]', "does not fit in 32 bytes"),
        (b"[1.5]", "item 0: float that is not a number"),
        (b"[-1]", "does not fit in 32 bytes"),
        (b"null", "4 bytes of text"),
        (b'{"a": 1, "b": 2}', "a JSON object that is neither proof nor key; its members: a, b"),
        (b'{"proof": [], "proof": []}', 'the member "proof" is given twice'),
        (json.dumps(PARTS | {"mergeProof": 5}).encode(), "proof.merge_proof: int, expected an array"),
        (json.dumps({name: words for name, words in PARTS.items() if name != "ipaProof"}).encode(), "proof.ipa_proof: missing"),
        (b"\x7fELF" + bytes(100), "a program"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"\x28\xb5\x2f\xfd" + bytes(50), "zstd, which is not read"),
        (FLOW1.fields + bytes(32), f"{len(FLOW1.fields) + 32} bytes"),
        (FLOW1.fields.hex().encode() + b"0", f"{2 * len(FLOW1.fields) + 1} bytes of text that are not a proof"),
        (json.dumps([*FLOW1.msgpack, 256]).encode(), "not a proof"),
        (FLOW1.fields[32 * 4 :], "1270 words, as the proof in an Aztec transaction has, without its public inputs"),
    ],
)
def test_what_is_not_a_proof_is_named(data: bytes, message: str) -> None:
    with pytest.raises(ChonkFormatError) as caught:
        detect_proof(data, 32)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "nothing: it is empty"),
        (FLOW1.fields, "40768 bytes of a proof, not a verification key"),
        (gzip.compress(FLOW1.msgpack), f"gzip of {len(FLOW1.msgpack)} bytes of a proof, not a verification key"),
        (FLOW1.vk[:-1], "3679 bytes that are not a verification key; a key has 3680 bytes"),
        (json.dumps({"bytes": FLOW1.vk.hex(), "fields": KEY_WORDS[::-1]}).encode(), "whose bytes and fields are not the same"),
        (
            json.dumps({"bytes": FLOW1.vk.hex(), "hash": f"0x{7:064x}"}).encode(),
            f"claims the hash 0x{7:064x} for a key whose hash is 0x{KEY.hash.hex()}",
        ),
        (json.dumps({"verificationKey": {"fields": KEY_WORDS[:-1]}}).encode(), "JSON of 3648 bytes that are not"),
        (
            json.dumps({"bytes": FLOW1.vk.hex(), "fields": [*KEY_WORDS[:-1], "0x7"]}).encode(),
            "whose bytes and fields are not the same",
        ),
        (
            json.dumps({"bytes": base64.b64encode(gzip.compress(FLOW1.vk)).decode(), "hash": f"0x{7:064x}"}).encode(),
            f"claims the hash 0x{7:064x}",
        ),
    ],
)
def test_what_is_not_a_key_is_named(data: bytes, message: str) -> None:
    with pytest.raises(ChonkFormatError) as caught:
        detect_key(data)
    assert message in str(caught.value)


def test_words_without_a_key() -> None:
    """Compressed points have bits that no canonical word has: those of a flat proof are canonical."""
    assert guess_encoding(FLOW1.fields) is Encoding.FIELDS
    assert guess_encoding(FLOW1.fields[:-32] + b"\xff" * 32) is Encoding.COMPRESSED
    assert guess_encoding(FLOW1.vk) is None


def test_layers_are_bounded() -> None:
    data = FLOW1.msgpack
    for _ in range(9):
        data = gzip.compress(data)
    with pytest.raises(ChonkFormatError, match="more than 8 layers"):
        unwrap(data)


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode) | st.sampled_from(sorted(FORMS.values())))
def test_no_bytes_are_a_surprise(data: bytes) -> None:
    for read in (detect_proof, detect_key, lambda data: detect_proof(data, 32)):
        with suppress(ChonkFormatError):
            read(data)


@given(st.data())
def test_layers_come_off_in_any_order(data: st.DataObject) -> None:
    """What was put around a proof comes off again."""
    content = FLOW1.compressed
    small = sorted(name for name in LAYERS if not name.startswith(("JSON of", "JSON array")))
    for name in data.draw(st.lists(st.sampled_from(small), max_size=3)):
        content = LAYERS[name](content)
    assert detect_proof(content, 32).proof.to_fields() == FLOW1.fields


# ---- In one call ----------------------------------------------------------------------------------------------------


def test_verify_takes_files_and_bytes(tmp_path: Path, setup: Setup) -> None:
    (tmp_path / "proof").write_bytes(FORMS["JSON array of words"])
    (tmp_path / "vk").write_bytes(FLOW1.vk)
    assert bbipc.verify(tmp_path / "proof", str(tmp_path / "vk"), setup=setup).valid
    assert bbipc.verify(FLOW1.compressed, KEY, setup=setup).valid
    assert bbipc.verify(ChonkProof.from_file(tmp_path / "proof"), FLOW1.vk, setup=setup).valid
    assert not bbipc.verify(FLOW1.compressed, KEY).valid
    assert bbipc.verify(FLOW4.compressed, KEY, setup=setup).outcome is Outcome.ERROR
    with pytest.raises(OSError, match="none"):
        bbipc.verify(tmp_path / "none", KEY)


def test_arguments_of_another_type_are_named() -> None:
    wrong: Any = 7
    proof = ChonkProof.from_fields(FLOW1.fields)
    for call, message in (
        (lambda: bbipc.verify(wrong, KEY), "proof: int, expected bytes or the path of a file"),
        (lambda: bbipc.verify(b"", wrong), "key: int, expected bytes or the path of a file"),
        (lambda: verify(wrong, KEY), "proof: int, expected ChonkProof"),
        (lambda: verify(proof, wrong), "key: int, expected VerificationKey or bytes"),
        (lambda: ChonkProof.from_bytes(wrong), "data: int, expected bytes"),
        (lambda: ChonkProof.from_file(wrong), "path: int, expected str or a path"),
        (lambda: ChonkProof.from_msgpack(wrong), "data: int, expected bytes"),
        (lambda: ChonkProof.from_compressed(wrong), "data: int, expected bytes"),
        (lambda: detect_proof(wrong), "data: int, expected bytes; ChonkProof.from_file"),
        (lambda: detect_key(wrong), "data: int, expected bytes; VerificationKey.from_file"),
        (lambda: VerificationKey(wrong), "data: int, expected bytes"),
        (lambda: VerificationKey.from_bytes(wrong), "data: int, expected bytes"),
        (lambda: Setup(wrong, wrong), "g2_x: int, expected bytes; from_json"),
        (lambda: Setup.from_json(wrong), "path: int, expected str or a path"),
        (lambda: Verifier(wrong), "setup: int, expected Setup; Setup.from_json"),
        (lambda: verify(proof, KEY, setup=wrong), "setup: int, expected Setup; Setup.from_json"),
        (lambda: verify(proof, KEY, threads="2"), "threads: str, expected int"),  # type: ignore[arg-type]
        (lambda: VerificationKey.from_file(wrong), "path: int, expected str or a path"),
    ):
        with pytest.raises(TypeError, match=message):
            call()


def test_representations_are_short(setup: Setup) -> None:
    proof = ChonkProof.from_fields(FLOW1.fields)
    assert repr(proof) == f"ChonkProof({FLOW1.fields[:4].hex()}.., 80+41+612+64+477 words)"
    assert repr(KEY) == f"VerificationKey({FLOW1.vk[:4].hex()}..{FLOW1.vk[-4:].hex()}, 3680 bytes)"
    assert repr(Setup.AZTEC) == "Setup.AZTEC"
    assert len(repr(setup)) < 80
