"""`bbipc compress`."""

import click

from bbipc.chonk import ChonkFormatError
from bbipc.cli import exit_codes
from bbipc.cli.inputs import INPUT, OUTPUT, InputError, shown
from bbipc.cli.recode import read_proof, write_output

__all__ = ["command"]


@click.command("compress")
@click.argument("proof", type=INPUT)
@click.option("-o", "--output", type=OUTPUT, default="-", metavar="FILE", help="Where to write. Default: standard output.")
def command(proof: str, output: str) -> int:
    """Compress a Chonk proof to about 60 % of its size, in the format of bb's ChonkCompressProof.

    PROOF is a file with flat field elements, a msgpack map of the parts, or hex digits of one of these; - for standard input.
    Nothing is verified.

    Exit status: 0 done; 2 the proof cannot be read or has the wrong shape.
    """
    try:
        compressed = read_proof(proof, compressed=False).compress()
    except ChonkFormatError as error:
        raise InputError(f"{shown(proof)}: {error}") from None
    write_output(output, compressed)
    return exit_codes.SUCCESS
