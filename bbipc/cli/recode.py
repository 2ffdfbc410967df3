"""What `bbipc compress` and `bbipc decompress` share: read one encoding of a proof, write another."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from bbipc.chonk import ChonkFormatError, ChonkProof
from bbipc.cli.inputs import InputError, read_input, shown
from bbipc.inspect.detect import Content, detect

__all__ = ["FORMATS", "read_proof", "write_output"]

FORMATS: dict[str, Callable[[ChonkProof], bytes]] = {"fields": ChonkProof.to_fields, "msgpack": ChonkProof.to_msgpack}
"""The encodings of a proof that is not compressed."""


def read_proof(name: str, *, compressed: bool) -> ChonkProof:
    """The proof in the file `name`, which must or must not be a compressed one.

    Raises:
        InputError: it cannot be read or is none.
    """
    try:
        detected = detect(read_input(name))
    except ChonkFormatError as error:
        raise InputError(f"{shown(name)}: {error}") from None
    readers: dict[Content, Callable[[bytes], ChonkProof]] = {
        Content.FLAT_PROOF: ChonkProof.from_fields,
        Content.MSGPACK_PROOF: ChonkProof.from_msgpack,
    }
    if detected.content is Content.COMPRESSED_PROOF and not compressed:
        raise InputError(f"{shown(name)}: the proof is compressed already")
    if compressed and detected.content in readers:
        raise InputError(f"{shown(name)}: the proof is not compressed")
    reader: Callable[[bytes], ChonkProof] | None = (
        ChonkProof.from_compressed if compressed else readers.get(detected.content or Content.KEY)
    )
    if reader is None:
        raise InputError(f"{shown(name)}: {len(detected.data)} bytes that are not a proof; try `bbipc inspect`")
    try:
        return reader(detected.data)
    except ChonkFormatError as error:
        raise InputError(f"{shown(name)}: {error}") from None


def write_output(name: str, data: bytes) -> None:
    """Write to the file `name`, or to standard output if it is `-` (but not to a terminal).

    Raises:
        InputError: it cannot be written.
    """
    if name != "-":
        try:
            Path(name).write_bytes(data)
        except OSError as error:
            raise InputError(f"{shown(name)}: {error.strerror or error}") from None
        return
    if sys.stdout.isatty():
        raise click.UsageError("binary data does not belong on a terminal: give -o FILE, or a pipe")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
