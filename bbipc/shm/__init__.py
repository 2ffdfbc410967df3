"""The shared-memory transport of bb 5.0.0: two rings of messages in files of /dev/shm. docs/protocol.md describes it.

Servers and clients share this package; it knows nothing of Trio, and what it imports costs little.
"""
