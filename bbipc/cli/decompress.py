"""`bbipc decompress`."""

import click

from bbipc.cli import exit_codes
from bbipc.cli.inputs import INPUT, OUTPUT
from bbipc.cli.recode import FORMATS, read_proof, write_output

__all__ = ["command"]


@click.command("decompress")
@click.argument("proof", type=INPUT)
@click.option("-o", "--output", type=OUTPUT, default="-", metavar="FILE", help="Where to write. Default: standard output.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="fields", show_default=True, help="What to write.")
def command(proof: str, output: str, form: str) -> int:
    """Restore a compressed Chonk proof.

    PROOF is a file with the compressed proof or its hex digits; - for standard input. Nothing is verified.

    Exit status: 0 done; 2 the proof cannot be read or is not a compressed proof.
    """
    write_output(output, FORMATS[form](read_proof(proof, compressed=True)))
    return exit_codes.SUCCESS
