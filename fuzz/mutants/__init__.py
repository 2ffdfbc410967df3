"""Mutants of the verifier: see run.py."""
