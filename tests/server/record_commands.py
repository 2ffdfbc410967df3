"""Record bb's answers to the requests of command_requests.py.

python tests/server/record_commands.py BB        writes tests/data/frames/commands.json
"""

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from samples import DATA
from server.bb import Bb
from server.command_requests import all_requests, payload

SEED = 1


def main() -> None:
    bb = Bb(sys.argv[1])
    entries = []
    for request in all_requests(SEED):
        response = bb.call(payload(request))
        digest = hashlib.sha256(payload(request)).hexdigest()[:16]
        if response is None or len(response) <= 400:
            answer = None if response is None else response.hex()
        else:
            answer = "sha256:" + hashlib.sha256(response).hexdigest()
        entries.append({"command": request[0], "request_sha256": digest, "response": answer})
    bb.close()
    (DATA / "frames" / "commands.json").write_text(json.dumps(entries, indent=0) + "\n")


if __name__ == "__main__":
    main()
