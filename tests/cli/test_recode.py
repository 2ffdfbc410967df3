"""`bbipc compress` and `bbipc decompress`: the bytes of bb, both ways."""

from pathlib import Path

import pytest

from bbipc.chonk import ChonkProof
from cli.running import bbipc, output
from samples import FLOW1, FLOWS, Sample


@pytest.mark.parametrize("sample", FLOWS, ids=str)
def test_both_ways(sample: Sample, tmp_path: Path) -> None:
    for name in ("proof.msgpack", "proof_fields.bin"):
        assert output("compress", sample.folder / name) == sample.compressed
    assert output("decompress", "-", stdin=sample.compressed.hex().encode()) == sample.fields
    file = tmp_path / "proof"
    assert output("decompress", sample.folder / "compressed.bin", "--format", "msgpack", "-o", file) == b""
    assert ChonkProof.from_msgpack(file.read_bytes()) == sample.proof


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compress", FLOW1.folder / "compressed.bin"), "compressed already"),
        (("decompress", FLOW1.folder / "proof.msgpack"), "not compressed"),
        (("compress", FLOW1.folder / "vk"), "not a proof"),
        (("compress", "/no/such/file"), "No such file"),
        (("compress", FLOW1.folder / "proof.msgpack", "-o", "/no/such/folder/x"), "No such file"),
        (("decompress", FLOW1.folder / "vk"), "bytes, expected at least"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], message: str) -> None:
    done = bbipc(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err
