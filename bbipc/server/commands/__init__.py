"""The commands that are served: for each, how its fields become a response.

:mod:`~bbipc.server.commands.table` names them all, and for each the function that answers it. The functions stand in modules by
subject: `hashes`, `fields`, `points`, `proofs` (their encodings), `verification`, `transactions`, `srs`. These import what they
need; the table loads none of them before a request needs it, or :func:`~bbipc.server.commands.table.load` is called.
"""
