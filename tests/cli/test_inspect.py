"""`bbipc inspect`: detection, names, and where a file stops making sense."""

import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.chonk import ChonkFormatError, ChonkProof
from bbipc.inspect import columns, proofs
from bbipc.inspect.detect import Content, detect
from bbipc.inspect.frames import message, stream
from bbipc.inspect.layout import PART_MEANINGS, fixed_words
from cli.running import bbipc
from samples import CORPUS, FLOW1, FLOWS, SPECIFICATION, Sample, word


def inspect(file: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(bbipc("inspect", file, "--json").out)
    return report


# ---- Names: the same as in the specification ------------------------------------------------------------------------


def specification(name: str) -> Any:
    return json.loads((SPECIFICATION / name).read_text())


def test_columns_are_those_of_the_specification() -> None:
    mega, translator = specification("mega_entities.json"), specification("translator_entities.json")
    assert list(columns.MEGA) == mega["precomputed"] + mega["witness"] + mega["shifted"]
    assert list(columns.MINI_CIRCUIT) == translator["minicircuit_evaluations_154"]
    assert list(columns.TRANSLATOR) == translator["full_circuit_evaluations_21"]
    assert list(columns.ECCVM) == [entity["name"] for entity in specification("eccvm_data.json")["entities"]]


def test_parts_have_the_lengths_of_chapter_00() -> None:
    assert tuple(PART_MEANINGS) == ChonkProof.PARTS
    assert [fixed_words(name) for name in ChonkProof.PARTS] == [48, 41, 612, 64, 477]


@pytest.mark.parametrize("sample", FLOWS, ids=str)
def test_public_inputs_and_points_by_name(sample: Sample) -> None:
    """Chapter 05: the databus check of a valid proof compares two elements, which the names must tell apart."""
    report = proofs.flat_proof(sample.fields)
    values = {item.element.name: item.value for item in report.parts[0].elements}
    assert values["kernel_return_data"] == values["KERNEL_CALLDATA"]
    assert sum(name.startswith("PUBLIC_INPUT_") for name in values) == sample.proof.num_public_inputs - 28


@pytest.mark.parametrize("number", [1, 4])
def test_the_eccvm_elements_are_what_the_transcript_receives(number: int) -> None:
    """Chapter 07.3: the vectors list, in order and decoded, every value that a real proof gives to the transcript."""
    received = []
    for event in specification(f"vectors-eccvm-flow{number}.json")["events"]:
        if event["kind"] in ("gr", "fq"):
            received += [(event["kind"], value) for value in event["values"]]
    sample = next(flow for flow in FLOWS if str(flow) == f"flow{number}")
    elements = proofs.flat_proof(sample.fields).parts[2].elements
    kinds = {"gr": "Grumpkin point", "fq": "Fq scalar"}
    shown = {"gr": lambda value: f"({value[0]}, {value[1]})", "fq": str}
    assert [(item.element.kind.value, item.value) for item in elements] == [
        (kinds[kind], shown[kind](value)) for kind, value in received
    ]


# ---- Detection ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [*FLOWS, *CORPUS], ids=str)
def test_flat_proofs_and_keys_are_recognised_and_make_sense(sample: Sample) -> None:
    for data, content in ((sample.fields, Content.FLAT_PROOF), (sample.vk, Content.KEY)):
        for text in (data, data.hex().encode(), b"0x" + data.hex().encode() + b"\n"):
            assert detect(text).content is content
            assert detect(text).data == data
    assert proofs.flat_proof(sample.fields).problems == ()
    assert proofs.key(sample.vk).problems == ()


@pytest.mark.parametrize("sample", FLOWS, ids=str)
def test_all_encodings_are_explained_alike(sample: Sample) -> None:
    assert detect(sample.msgpack).content is Content.MSGPACK_PROOF
    assert detect(sample.compressed).content is Content.COMPRESSED_PROOF
    reports = [
        proofs.flat_proof(sample.fields),
        proofs.msgpack_proof(sample.msgpack),
        proofs.compressed_proof(sample.compressed),
    ]
    assert [report.encoding for report in reports] == ["fields", "msgpack", "compressed"]
    assert reports[0].parts == reports[1].parts == reports[2].parts


def test_frames_are_recognised() -> None:
    payload = msgpack.packb([["Blake2s", {"data": b"abc"}]])
    assert detect(payload).content is Content.MESSAGE
    assert detect(struct.pack("<I", len(payload)) + payload).content is Content.FRAMES


@given(st.binary(max_size=200))
def test_nothing_is_recognised_by_raising(data: bytes) -> None:
    with suppress(ChonkFormatError):  # a damaged layer
        detect(data)
    stream(data)
    message(data)
    stream(data, envelope=True)
    for explain in (proofs.flat_proof, proofs.msgpack_proof, proofs.compressed_proof, proofs.key):
        assert explain(data).problems


# ---- Where it stops making sense ------------------------------------------------------------------------------------


def changed(position: int, value: int) -> bytes:
    return FLOW1.fields[: 32 * position] + word(value) + FLOW1.fields[32 * position + 32 :]


@pytest.mark.parametrize(
    ("position", "value", "problem"),
    [
        (0, 2**256 - 1, "hiding_oink_proof, word 0, PUBLIC_INPUT_0 (Fr scalar): word 0 is not canonical"),
        (32, 1 << 136, "hiding_oink_proof, word 32, W_L (G1 point): the low limb of x has more than 136 bits"),
        (33, 1 << 118, "hiding_oink_proof, word 32, W_L (G1 point): the high limb of x has more than 118 bits"),
        (35, 0, "hiding_oink_proof, word 32, W_L (G1 point): the point is not on the curve of G1"),
        (80 + 41 + 2, 7, "eccvm_proof, word 2, transcript_add (Grumpkin point): the point is not on Grumpkin"),
        (80 + 41 + 180, 1 << 136, "eccvm_proof, word 180, LIBRA_SUM (Fq scalar): the low limb of value has more than 136 bits"),
        (80 + 41 + 612 + 60, 1, "ipa_proof, word 60, G_0 (Grumpkin point): the point is not on Grumpkin"),
        (80 + 41 + 612 + 64 + 473, 1, "joint_proof, word 473, KZG:W (G1 point): the point is not on the curve of G1"),
    ],
)
def test_the_first_problem_is_named(position: int, value: int, problem: str) -> None:
    assert [text[: len(problem)] for text in proofs.flat_proof(changed(position, value)).problems] == [problem]


def test_lengths() -> None:
    assert "not a multiple of 32" in proofs.flat_proof(FLOW1.fields[:-1]).problems[0]
    assert "at least 1242" in proofs.flat_proof(FLOW1.fields[: 32 * 100]).problems[0]
    parts = FLOW1.proof.to_words()
    parts["merge_proof"].append(parts["eccvm_proof"].pop(0))
    problems = proofs.msgpack_proof(msgpack.packb(parts)).problems
    assert problems[0].startswith("merge_proof, word 41: 1 words more than such a part has")
    assert any(text.startswith("eccvm_proof") for text in problems)
    del parts["ipa_proof"]
    parts["joint_proof"][3] = b"short"
    problems = proofs.msgpack_proof(msgpack.packb(parts)).problems
    assert "ipa_proof is missing" in problems
    assert "joint_proof, word 3: 5 bytes, expected 32 bytes" in problems


def test_compressed_words_have_names() -> None:
    data = bytearray(FLOW1.compressed)
    data[32 * 5 : 32 * 6] = b"\xff" * 32
    assert proofs.compressed_proof(bytes(data)).problems[0].endswith("(this is hiding_oink_proof: public input 5)")
    data = bytearray(FLOW1.compressed)
    data[32 * 32 : 32 * 33] = b"\x80" + bytes(31)
    assert proofs.compressed_proof(bytes(data)).problems[0].endswith("(this is hiding_oink_proof: W_L)")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ([["Blake2s", {"data": b""}]], ("request", "plain", None, "Blake2s")),
        ([7, ["Blake2s", {"data": b""}]], ("request", "tagged", 7, "Blake2s")),
        ([["Stats", {}]], ("request", "plain", None, "Stats")),
        (["Blake2sResponse", {"hash": bytes(32)}], ("response", "plain", None, "Blake2sResponse")),
        ([2**64 - 1, ["ErrorResponse", {"message": "no"}]], ("response", "tagged", 2**64 - 1, "ErrorResponse")),
    ],
)
def test_messages(payload: Any, expected: tuple[Any, ...]) -> None:
    report = message(msgpack.packb(payload))
    assert (report.direction, report.dialect, report.request_id, report.name) == expected
    assert report.problem is None
    assert message(bytes([9, 0, 0, 0, 0, 0, 0, 0]) + msgpack.packb(payload[-1:]), envelope=True).request_id == 9


def test_a_malformed_request_keeps_its_id() -> None:
    report = message(msgpack.packb([5, ["Blake2s", {}]]))
    assert (report.direction, report.request_id) == ("unknown", 5)
    assert report.problem is not None
    assert "missing field 'data'" in report.problem


def test_a_stream_that_ends_early() -> None:
    one = msgpack.packb([["Shutdown", {}]])
    good = struct.pack("<I", len(one)) + one
    assert stream(good + good).problem is None
    assert stream(good + b"\1").problem == f"byte {len(good)}: 1 bytes, a frame starts with 4 of length"
    assert (
        stream(good + struct.pack("<I", 9) + b"ab").problem == f"byte {len(good)}: a frame of 9 bytes is announced, 2 are there"
    )


# ---- The command ----------------------------------------------------------------------------------------------------


def test_json_of_a_proof() -> None:
    report = inspect(FLOW1.folder / "proof.msgpack")
    assert (report["content"], report["makes_sense"], report["public_inputs"]) == ("msgpack", True, 32)
    assert [part["words"] for part in report["parts"]] == [80, 41, 612, 64, 477]
    assert report["parts"][4]["elements"][-1]["name"] == "KZG:W"


def test_text_and_exit_codes(tmp_path: Path) -> None:
    done = bbipc("inspect", FLOW1.folder / "vk", "--elements")
    assert (done.code, done.err) == (0, "")
    assert "0x2599f9531a2d7b3f856e3503f98a9f99da2e8dbe410bb568d79e13e6e8ca5e49" in done.out
    assert "Q_POSEIDON2_TRANSITION_ENTRY (G1 point)" in done.out
    assert "\x1b[" not in done.out
    done = bbipc("inspect", "-", stdin=changed(32, 1 << 136))
    assert done.code == 1
    assert "makes no sense: hiding_oink_proof, word 32, W_L" in done.out
    (tmp_path / "text").write_text("hello")
    for file in (tmp_path / "text", tmp_path / "none"):
        done = bbipc("inspect", file)
        assert (done.code, done.out) == (2, "")
    assert bbipc("inspect", tmp_path / "text", "--as", "key").code == 1


def test_a_proof_inside_of_a_request() -> None:
    payload = msgpack.packb([3, ["ChonkVerify", {"proof": FLOW1.proof.to_words(), "vk": FLOW1.vk}]])
    done = bbipc("inspect", "-", stdin=struct.pack("<I", len(payload)) + payload)
    assert "tagged request with id 3: ChonkVerify" in done.out
    assert "joint_proof: 477 words" in done.out
