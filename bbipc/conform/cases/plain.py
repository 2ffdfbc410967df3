"""Suite plain: commands answered as bb answers them, byte for byte."""

# ruff: noqa: D103 - the rule of a case is its documentation

import json
from importlib.resources import files
from typing import Any

import msgpack

from bbipc.conform.case import CaseFunction, Suite, broken
from bbipc.conform.cases.common import expect_hashes, one_error
from bbipc.conform.lab import Lab
from bbipc.conform.messages import ERROR, blake2s_request, blake2s_response, call, frame
from bbipc.conform.samples import SAMPLES, compressed, sample

suite = Suite("plain", "docs/protocol.md#fields")


def _known_answers() -> dict[str, list[dict[str, Any]]]:
    text = (files("bbipc.conform") / "data" / "known_answers.json").read_text()
    by_command: dict[str, list[dict[str, Any]]] = {}
    for answer in json.loads(text)["answers"]:
        by_command.setdefault(answer["command"], []).append(answer)
    return by_command


def _known_answer_case(command: str, answers: list[dict[str, Any]]) -> None:
    async def run(lab: Lab) -> None:
        async with lab.peer() as peer:
            for answer in answers:
                request = frame(bytes.fromhex(answer["request"]))
                if answer["response"] is None:
                    await one_error(peer, request, f"{command}, {answer['note']}")
                    continue
                response = bytes.fromhex(answer["response"])
                await peer.send(request, f"{command}, {answer['note']}")
                reply = await peer.receive(f"{command}Response")
                if reply.payload != response:
                    broken(str(msgpack.unpackb(response)), reply)
            await peer.finish()

    function: CaseFunction = run
    notes = ", ".join(answer["note"] for answer in answers)
    suite.case(f"answers-{command.lower()}", f"{command} is answered byte for byte as by bb 5.0.0 ({notes}).")(function)


for _command, _answers in _known_answers().items():
    _known_answer_case(_command, _answers)


@suite.case("srs-init", "SrsInitSrs with points that are not the canonical ones is an error.")
async def srs_init(lab: Lab) -> None:
    fields = {"points_buf": bytes(64), "num_points": 1, "g2_point": bytes(128)}
    async with lab.peer() as peer:
        await one_error(peer, call("SrsInitSrs", fields), "SrsInitSrs with zeros")
        await peer.finish()


@suite.case(
    "compress",
    "ChonkCompressProof gives the 32 * (697 + public inputs) bytes that bb gives.",
    source="docs/spec/03-vk-and-proof-layout.md section 5",
)
async def compress(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(call("ChonkCompressProof", {"proof": sample("flow1").parts}), "ChonkCompressProof of flow1")
        await peer.expect(["ChonkCompressProofResponse", {"compressed_proof": compressed("flow1")}])
        await peer.finish()


@suite.case(
    "decompress", "ChonkDecompressProof undoes ChonkCompressProof.", source="docs/spec/03-vk-and-proof-layout.md section 5"
)
async def decompress(lab: Lab) -> None:
    async with lab.peer() as peer:
        for name in SAMPLES:
            await peer.send(call("ChonkCompressProof", {"proof": sample(name).parts}), f"ChonkCompressProof of {name}")
            reply = await peer.receive("ChonkCompressProofResponse")
            if reply.name != "ChonkCompressProofResponse":
                broken("ChonkCompressProofResponse", reply)
            await peer.send(call("ChonkDecompressProof", reply.fields), "ChonkDecompressProof of the answer")
            await peer.expect(["ChonkDecompressProofResponse", {"proof": sample(name).parts}])
        await peer.finish()


@suite.case(
    "decompress-errors",
    "What is not a compressed proof is an error: wrong sizes, an x without a point.",
    source="docs/spec/03-vk-and-proof-layout.md section 5",
)
async def decompress_errors(lab: Lab) -> None:
    good = compressed("flow1")
    point = 32 * 32  # the first word behind the public inputs
    async with lab.peer() as peer:
        for data, text in (
            (b"", "no bytes"),
            (good[:-1], "a byte less"),
            (good[: 696 * 32], "696 words"),
            (good[:point] + b"\x7f" + b"\xff" * 31 + good[point + 32 :], "x above the modulus"),
            (good[:point] + b"\x80" + bytes(31) + good[point + 32 :], "x = 0"),
            (b"\xff" * 32 + good[32:], "a public input of 2^256 - 1"),
        ):
            await one_error(peer, call("ChonkDecompressProof", {"compressed_proof": data}), f"ChonkDecompressProof: {text}")
        await peer.finish()


@suite.case(
    "every-command",
    "Every published command without its fields gets one response, and never ends the process.",
    source="docs/protocol.md#the-law",
)
async def every_command(lab: Lab) -> None:
    async with lab.peer() as peer:
        for command in PUBLISHED:
            data = peer.next_probe()
            await peer.send(call(command, {}) + blake2s_request(data), f"{command} without fields; behind it Blake2s {data!r}")
            reply = await peer.receive(f"a response to {command}")
            if reply.name not in (ERROR, f"{command}Response"):
                broken(f"{command}Response or ErrorResponse", reply)
            await peer.expect(blake2s_response(data), what=f"the answer to the request behind {command}")
        await peer.finish()


@suite.case("thousand", "A thousand pipelined requests are all answered, in order.")
async def thousand(lab: Lab) -> None:
    data = [index.to_bytes(2, "big") for index in range(1000)]
    async with lab.peer() as peer:
        await peer.send(b"".join(map(blake2s_request, data)), "1000 hash requests")
        expect_hashes([await peer.receive() for _ in data], data)
        await peer.finish()


PUBLISHED = (
    "AvmProve", "AvmVerify", "AvmCheckCircuit", "CircuitProve", "CircuitComputeVk", "CircuitStats", "CircuitVerify",
    "ChonkComputeVk", "ChonkStart", "ChonkLoad", "ChonkAccumulate", "ChonkVerify", "ChonkVerifyFromFields",
    "ChonkBatchVerify", "VkAsFields", "MegaVkAsFields", "CircuitWriteSolidityVerifier", "ChonkCheckPrecomputedVk", "ChonkStats",
    "ChonkCompressProof", "ChonkDecompressProof", "Poseidon2Hash", "Poseidon2Permutation", "PedersenCommit", "PedersenHash",
    "PedersenHashBuffer", "Blake2s", "Blake2sToField", "AesEncrypt", "AesDecrypt", "GrumpkinMul", "GrumpkinAdd",
    "GrumpkinBatchMul", "GrumpkinGetRandomFr", "GrumpkinReduce512", "Secp256k1Mul", "Secp256k1GetRandomFr",
    "Secp256k1Reduce512", "Bn254FrSqrt", "Bn254FqSqrt", "Bn254G1Mul", "Bn254G2Mul", "Bn254G1IsOnCurve",
    "Bn254G1FromCompressed", "SchnorrComputePublicKey", "SchnorrConstructSignature", "SchnorrVerifySignature",
    "EcdsaSecp256k1ComputePublicKey", "EcdsaSecp256r1ComputePublicKey", "EcdsaSecp256k1ConstructSignature",
    "EcdsaSecp256r1ConstructSignature", "EcdsaSecp256k1RecoverPublicKey", "EcdsaSecp256r1RecoverPublicKey",
    "EcdsaSecp256k1VerifySignature", "EcdsaSecp256r1VerifySignature", "SrsInitSrs", "ChonkBatchVerifierStart",
    "ChonkBatchVerifierQueue", "ChonkBatchVerifierStop", "SrsInitGrumpkinSrs", "SetMsmLegacy",
)  # fmt: skip
"""The commands of the published schema of bb 5.0.0, except ChonkProve, which may legitimately take long, and Shutdown."""
