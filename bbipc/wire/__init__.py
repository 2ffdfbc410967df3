"""The wire: frames, dialects and typed messages. No I/O, no cryptography."""
