"""`bbipc completion`: completion of commands and options in a shell."""

import click
from click.shell_completion import get_completion_class

from bbipc.cli import exit_codes
from bbipc.cli.main import cli

__all__ = ["command"]

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> int:
    """Print a script that makes SHELL complete commands and options of bbipc.

    \b
    bash: eval "$(bbipc completion bash)"                           in ~/.bashrc
    zsh:  eval "$(bbipc completion zsh)"                            in ~/.zshrc
    fish: bbipc completion fish > ~/.config/fish/completions/bbipc.fish

    Exit status: 0.
    """  # noqa: D301 - \b is for click: do not wrap this paragraph
    completion = get_completion_class(shell)
    assert completion is not None, "click knows these shells"
    if shell == "bash":
        # Else it cuts the names of keys (aztec:5.2.0/to_public) into words.
        click.echo("COMP_WORDBREAKS=${COMP_WORDBREAKS//:}")
    click.echo(completion(cli, {}, "bbipc", "_BBIPC_COMPLETE").source())
    return exit_codes.SUCCESS
