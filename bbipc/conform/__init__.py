"""A conformance test of servers that speak the msgpack pipe of `bb msgpack run`: bbipc's own, the real one, or any other.

A server is judged from outside only: a command is started, bytes are sent to it, and what comes back is held against the
rules of docs/protocol.md. Nothing here uses bbipc's codec, server or verifier, so that a defect of those cannot hide itself.

* `messages` builds requests and reads responses.
* `samples` has real proofs, `elements` says where their items stand and does arithmetic with them.
* `target` starts a server; `peer` is one connection to it, and records what was said.
* `case` tells what a case is, `cases` is the catalogue, `runner` runs it, `report` writes what it found.
* `script` is a conversation that can be saved and replayed, `judge` tells whether its responses keep the law.
"""
