"""Which msgpack libraries talk to bbipc as they are? Runs the client of each that is installed, and prints a table.

    python examples/languages/table.py

The clients are in this folder; each speaks to a server of its own over the pipe. JavaScript: `npm install msgpackr
@msgpack/msgpack msgpack5 notepack.io` here. Go: `go mod init x && go mod tidy` in its folders, or GO111MODULE=off with Debian's
golang-github-vmihailenco-msgpack.v5-dev and golang-github-ugorji-go-codec-dev. Ruby, Lua, Perl: Debian's ruby-msgpack,
lua-messagepack, lua-mpack, libdata-messagepack-perl. Python: `pip install ormsgpack msgspec u-msgpack-python`.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
EXPECTED = {
    "plain": "508c5e8c",
    "list": "",  # the answer of the first library; the others must agree
    "tagged": "508c5e8c",
    "large id": "508c5e8c",
    "integer": "508c5e8c",
}
LUA = ["lua5.3", "client.lua"]
CLIENTS = {
    "Python msgpack": [sys.executable, "client.py", "msgpack"],
    "Python ormsgpack": [sys.executable, "client.py", "ormsgpack"],
    "Python msgspec": [sys.executable, "client.py", "msgspec"],
    "Python u-msgpack": [sys.executable, "client.py", "umsgpack"],
    "JavaScript msgpackr": ["node", "client.mjs", "msgpackr"],
    "JavaScript @msgpack/msgpack": ["node", "client.mjs", "@msgpack/msgpack"],
    "JavaScript msgpack5": ["node", "client.mjs", "msgpack5"],
    "JavaScript notepack.io": ["node", "client.mjs", "notepack.io"],
    "Go vmihailenco/msgpack": ["go", "run", "-C", "go-vmihailenco", "."],
    "Go ugorji/go/codec": ["go", "run", "-C", "go-ugorji", "."],
    "Go ugorji/go/codec, default": ["go", "run", "-C", "go-ugorji", ".", "default"],
    "Ruby msgpack": ["ruby", "client.rb"],
    "Perl Data::MessagePack": ["perl", "client.pl"],
    "Perl Data::MessagePack, as it is": ["perl", "client.pl", "as-it-is"],
    "Lua MessagePack": [*LUA, "MessagePack"],
    "Lua mpack": [*LUA, "mpack"],
}


def run(command: list[str]) -> dict[str, str]:
    """What a client tells of its requests: label -> the beginning of the hash, or what is wrong."""
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "bbipc", "msgpack", "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with server:
        done = subprocess.run(
            command, stdin=server.stdout, stdout=server.stdin, stderr=subprocess.PIPE, text=True, cwd=HERE, check=False
        )
        server.kill()
    lines = [line.partition(": ") for line in done.stderr.splitlines()]
    return {label: result for label, colon, result in lines if colon} or {"failed": done.stderr[-200:]}


def main() -> None:
    """Print the table."""
    for name, command in CLIENTS.items():
        try:
            results = run(command)
        except FileNotFoundError:
            print(f"{name:34} not installed")
            continue
        EXPECTED["list"] = EXPECTED["list"] or results.get("list", "")
        wrong = {label: results.get(label, "no answer") for label, hash_ in EXPECTED.items() if results.get(label) != hash_}
        more = {label: result for label, result in results.items() if label not in EXPECTED}
        print(f"{name:34} {wrong or 'works'} {more or ''}")


if __name__ == "__main__":
    main()
