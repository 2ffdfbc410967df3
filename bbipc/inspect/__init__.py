"""Explains bytes: proofs element by element, keys, and frames of the wire. Nothing here decides whether a proof is valid."""
