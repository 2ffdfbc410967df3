"""``python -m bbipc``, and the entry point of the command ``bbipc``."""

import sys


def main() -> None:
    """Run ``bbipc`` with the arguments of this process, and exit.

    ``msgpack run`` goes its own way: clients start it and wait for it, and it needs nothing of the other commands.
    """
    if sys.argv[1:3] == ["msgpack", "run"]:
        from bbipc.cli.msgpack import run  # noqa: PLC0415 - see above

        sys.exit(run(sys.argv[3:]))
    from bbipc.cli.main import main as run_any  # noqa: PLC0415

    run_any()


if __name__ == "__main__":
    main()
