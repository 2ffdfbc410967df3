"""Property-based testing of a running server: `bbipc fuzz`.

* `mutant` is a changed proof; `mutation` changes one in ways that know its layout, `forgery` so that only a check can find it.
  Each is a function of a random generator, so that other tools can use them, too.
* `strategies` makes frames, valid, malformed or mutated, and cuts them into writes.
* `sandbox` keeps a server running between examples.
* `campaign` lets Hypothesis look for a conversation that breaks the law, shrinks it, and saves it as a script that
  `bbipc conform --replay` runs again.
"""
