"""Archives: many proofs or transactions as units of work, decided here or on a cluster, and the journal of what was decided."""
