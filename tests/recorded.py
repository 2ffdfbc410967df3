"""What bb 5.0.0 said to a request: recordings in tests/data/frames."""

import ast
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bbipc.chonk import Outcome
from samples import DATA

FRAMES = DATA / "frames"

STEP_OF_LOG = {
    "ChonkVerifier: verification failed at PI pairing points check": "PI pairing points",
    "ChonkVerifier: verification failed at databus consistency check": "databus consistency",
    "ChonkVerifier: verification failed at Merge reduction": "Merge reduction",
    "ChonkVerifier: verification failed at Merge pairing check": "Merge pairing",
    "ChonkVerifier: verification failed at ECCVM step": "ECCVM step",
    "ChonkVerifier: verification failed at batched translator+joint reduction": "batched translator+joint reduction",
    "ChonkVerifier: verification failed at batched translator+joint pairing check": "batched translator+joint pairing",
    "ChonkVerifier: Chonk verification failed at IPA check": "IPA",
}
"""The last line that `bb` with BB_VERBOSE=1 logs about an invalid proof -> our name of the step."""


@dataclass(frozen=True)
class Answer:
    """An answer of bb in our terms.

    Attributes:
        outcome: valid, invalid, or error (an ErrorResponse, or the death of bb's process).
        step: the failing step if bb logged one.
        message: of an ErrorResponse.
    """

    outcome: Outcome
    step: str | None
    message: str | None

    @classmethod
    def of(cls, response: Any, log: list[str]) -> "Answer":
        if response is None:
            return cls(Outcome.ERROR, None, None)
        name, fields = response
        if name == "ErrorResponse":
            return cls(Outcome.ERROR, None, fields["message"])
        if fields["valid"]:
            return cls(Outcome.VALID, None, None)
        return cls(Outcome.INVALID, STEP_OF_LOG[log[-1]], None)


@cache
def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def recordings(group: str) -> dict[str, dict[str, Any]]:
    """All recordings of a folder, as they were made, by name."""
    return {path.stem: _json(path) for path in sorted((FRAMES / group).glob("*.json"))}


def bit_flips() -> list[tuple[str, int, Answer]]:
    """(part, index of the word whose lowest bit was flipped, answer) for each word of flow1."""
    document = _json(FRAMES / "flipmap_flow1_bit0.json")
    return [(flip["part"], flip["i"], Answer.of(flip["resp"], flip["last"])) for flip in document["flips"]]


def point_substitutions() -> list[tuple[str, int, str, Answer]]:
    """(part, index of the point's first word, neg | inf | gen, answer) for each point of flow1."""
    document = _json(FRAMES / "pointmap_flow1.json")
    return [(entry["part"], entry["i"], entry["alt"], Answer.of(entry["resp"], [entry["last"]])) for entry in document]


@dataclass(frozen=True)
class Case:
    """One recorded request; the recording keeps only its beginning and its length.

    Attributes:
        name: of the file.
        beginning: the first bytes of the frame.
        length: of the frame.
        answer: what bb answered.
    """

    name: str
    beginning: bytes
    length: int
    answer: Answer

    def __str__(self) -> str:
        return self.name


def cases(folder: str) -> list[Case]:
    """All cases of one command: `verify` or `verify_from_fields`."""
    return [_case(path) for path in sorted((FRAMES / folder).glob("*.json"))]


def _case(path: Path) -> Case:
    document = _json(path)
    beginning, _, cut = document["request_frame_hex"].partition("...(")
    length = int(cut.split()[0]) // 2 if cut else len(beginning) // 2
    answer = Answer.of(ast.literal_eval(document["response"]), document["stderr_verbose_log"])
    return Case(path.stem, bytes.fromhex(beginning), length, answer)
