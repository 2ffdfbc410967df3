"""Verification commands: the outcome is bb's in every recorded case, byte for byte where bb gives a verdict."""

import hashlib

import msgpack
import pytest

from bbipc.wire.values import FR_MODULUS
from recorded import recordings
from samples import FLOW1, FLOW8
from server import recorded_proofs as requests
from server.live import Peer, frame, is_error

SHAPES = recordings("msgpack_shape")
RECORDED = {
    "verify": recordings("verify"),
    "verify_from_fields": recordings("verify_from_fields"),
    "batch_verify": recordings("batch_verify"),
}
BUILT = {"verify": requests.VERIFY, "verify_from_fields": requests.FROM_FIELDS, "batch_verify": requests.BATCH}

# Proofs and keys of these flows are not among the samples.
NOT_BUILT = {"verify": {"valid_flow3", "valid_flow5", "valid_flow6", "wrong_vk_fewer_public_inputs"},
             "verify_from_fields": set(), "batch_verify": set()}  # fmt: skip


def check(response: bytes | None, recorded: dict) -> None:
    assert response is not None
    if recorded["process_exit_code_if_died"] is not None:
        assert is_error(response)
        return
    expected = bytes.fromhex(recorded["response_frame_hex"])[4:]
    if msgpack.unpackb(expected)[0] == "ErrorResponse":
        assert is_error(response)
    else:
        assert response == expected


@pytest.mark.parametrize("group", RECORDED)
def test_every_recorded_case_is_built(group: str) -> None:
    assert set(BUILT[group]) == set(RECORDED[group]) - NOT_BUILT[group]


@pytest.mark.parametrize(("group", "name"), [(group, name) for group, cases in BUILT.items() for name in cases])
def test_the_outcome_is_that_of_bb(peer: Peer, group: str, name: str) -> None:
    payload = BUILT[group][name]
    recorded = RECORDED[group][name]
    if name.startswith("valid") or (group == "verify" and name.startswith("vk_") and "mega" not in name):
        assert frame(payload).hex().startswith(recorded["request_frame_hex"].split("...")[0])
    peer.request(payload)
    check(peer.receive(), recorded)
    peer.is_served()


@pytest.mark.parametrize(
    "name", ["short1", "long1", "empty", "too_short_for_parts", "wrong_vk", "without_public_inputs", "vk_short"]
)
def test_messages_about_sizes_are_those_of_bb(peer: Peer, name: str) -> None:
    peer.request(requests.FROM_FIELDS[name])
    assert peer.receive() == bytes.fromhex(RECORDED["verify_from_fields"][name]["response_frame_hex"])[4:]


@pytest.mark.parametrize("name", ["empty", "more_vks", "fewer_vks", "second_vk_short"])
def test_messages_about_batches_are_those_of_bb(peer: Peer, name: str) -> None:
    peer.request(requests.BATCH[name])
    assert peer.receive() == bytes.fromhex(RECORDED["batch_verify"][name]["response_frame_hex"])[4:]


def test_a_wrong_size_in_a_batch_names_the_proof(peer: Peer) -> None:
    message = peer.call(requests.BATCH["second_short"])[1]["message"]
    assert message == "ChonkBatchVerify: proof[1] has wrong size: expected 1274, got 1273"


def test_a_proof_that_was_not_recorded(peer: Peer) -> None:
    assert peer.call(requests.verify(requests.parts(FLOW8), FLOW8.vk)) == ["ChonkVerifyResponse", {"valid": True}]
    assert peer.call(requests.from_fields(FLOW8.fields, FLOW8.vk)) == ["ChonkVerifyFromFieldsResponse", {"valid": True}]


# ---- Shapes of the message -------------------------------------------------------------------------------------------


def shape(name: str) -> bytes:  # noqa: C901, PLR0915 - one branch for each recorded case
    """The request of a recorded case of msgpack_shape."""
    proof: dict = dict(requests.parts())
    fields: dict = {"proof": proof, "vk": FLOW1.vk}
    ipa, oink = proof["ipa_proof"], proof["hiding_oink_proof"]

    def set_oink(index: int, value: object) -> None:
        proof["hiding_oink_proof"] = [*oink[:index], value, *oink[index + 1 :]]

    match name:
        case "args_as_array":
            fields = [proof, FLOW1.vk]
        case "args_empty_map":
            fields = {}
        case "args_nil":
            fields = None
        case "camel_case_part":
            fields["proof"] = {"hidingOinkProof" if key == "hiding_oink_proof" else key: value for key, value in proof.items()}
        case "duplicate_key" | "duplicate_key2":
            keys = [b"", FLOW1.vk] if name == "duplicate_key" else [FLOW1.vk, b""]
            body = b"\x83" + msgpack.packb("vk") + msgpack.packb(keys[0]) + msgpack.packb("proof") + msgpack.packb(proof)
            return b"\x91\x92" + msgpack.packb("ChonkVerify") + body + msgpack.packb("vk") + msgpack.packb(keys[1])
        case "extra_key":
            fields["zzz"] = 1
        case "extra_key_in_proof":
            proof["zzz"] = [b""]
        case "field_31_bytes":
            proof["ipa_proof"] = [bytes(31), *ipa[1:]]
        case "field_33_bytes":
            proof["ipa_proof"] = [b"\0" + ipa[0], *ipa[1:]]
        case "field_as_byte_array":
            proof["ipa_proof"] = [list(ipa[0]), *ipa[1:]]
        case "field_as_int":
            proof["ipa_proof"] = [5, *ipa[1:]]
        case "field_as_str":
            proof["ipa_proof"] = ["\0" * 32, *ipa[1:]]
        case "map16_array32_headers":
            return long_headers(proof, FLOW1.vk)
        case "missing_part":
            del proof["ipa_proof"]
        case "missing_proof":
            del fields["proof"]
        case "missing_vk":
            del fields["vk"]
        case "name_as_bin":
            return msgpack.packb([[b"ChonkVerify", fields]])
        case "part_as_bin":
            proof["ipa_proof"] = b"".join(proof["ipa_proof"])
        case "part_nil":
            proof["ipa_proof"] = None
        case "proof_as_array":
            fields["proof"] = list(proof.values())
        case "proof_keys_reversed":
            fields["proof"] = dict(reversed(proof.items()))
        case "short_field_1_zero":
            set_oink(2, b"\0")
        case "short_field_1byte_value1":
            set_oink(0, b"\1")
        case "short_field_31_value1_left_trimmed":
            set_oink(0, b"\1".rjust(31, b"\0"))
        case "short_field_31_zeros":
            set_oink(2, bytes(31))
        case "short_field_empty_bin" | "short_field_empty_bin_flow3":
            set_oink(2, b"")
        case "short_field_28_trailing_zeros_flow3":
            set_oink(0, (FR_MODULUS - 1).to_bytes(32, "big")[:28])
        case "vk_as_array_ints_over_255":
            fields["vk"] = [300, *FLOW1.vk[1:]]
        case "vk_as_array_of_ints":
            fields["vk"] = list(FLOW1.vk)
        case "vk_as_str":
            fields["vk"] = "a" * len(FLOW1.vk)
        case "vk_before_proof":
            fields = dict(reversed(fields.items()))
        case _:
            raise AssertionError(name)
    return msgpack.packb([["ChonkVerify", fields]])


def long_headers(proof: dict, vk: bytes) -> bytes:
    """A request with longer headers than necessary."""

    def text(value: str) -> bytes:
        return b"\xdb" + len(value).to_bytes(4, "big") + value.encode()

    def blob(value: bytes) -> bytes:
        return b"\xc6" + len(value).to_bytes(4, "big") + value

    def array(items: list[bytes]) -> bytes:
        return b"\xdd" + len(items).to_bytes(4, "big") + b"".join(items)

    def mapping(items: dict[str, bytes]) -> bytes:
        return b"\xdf" + len(items).to_bytes(4, "big") + b"".join(text(key) + value for key, value in items.items())

    packed = mapping({part: array(list(map(blob, words))) for part, words in proof.items()})
    request = array([array([text("ChonkVerify"), mapping({"proof": packed, "vk": blob(vk)})])])
    return request.replace(text("vk"), msgpack.packb("vk"))


# bb reads memory it never wrote where a field is too short, and takes a str or one of two equal keys for good: we refuse.
REFUSED_HERE = {"duplicate_key", "duplicate_key2", "field_31_bytes", "field_as_str", "vk_as_str"}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_of_the_message(peer: Peer, name: str) -> None:
    payload, recorded = shape(name), SHAPES[name]
    if "request_frame_sha256" in recorded:
        assert hashlib.sha256(frame(payload)).hexdigest() == recorded["request_frame_sha256"]
    peer.request(payload)
    response = peer.receive()
    peer.is_served()
    if name in REFUSED_HERE or name.startswith("short_field"):
        assert is_error(response)
    else:
        check(response, recorded)
