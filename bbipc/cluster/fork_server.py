"""What the fork server of local clusters imports last, and nobody else. With its package it has all that workers need.

What is here now stays until the end. So Python's garbage collector never looks at it, neither here nor in the workers, where
that would copy the pages that they share.
"""

import gc

import tornado.platform.asyncio  # noqa: F401 - each event loop needs it, but imports it only when it starts

gc.freeze()
gc.enable()
