"""Property-based testing of a running server: `bbipc fuzz`.

* `strategies` makes frames, valid, malformed or mutated, and cuts them into writes.
* `sandbox` keeps a server running between examples.
* `campaign` lets Hypothesis look for a conversation that breaks the law, shrinks it, and saves it as a script that
  `bbipc conform --replay` runs again.
"""
