"""The extension module that the build makes from csrc/ with cffi; only `bbipc.chonk.core` imports it."""

from typing import Any

ffi: Any
lib: Any
