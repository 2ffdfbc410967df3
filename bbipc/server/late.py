"""Functions that are named first and loaded later, so that a server can listen before it has loaded what requests need."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Generic, ParamSpec, TypeVar, cast

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Late(Generic[Parameters, Result]):
    """A function that is loaded when it is called first.

    Args:
        place: "module:function".
        bound: arguments that the function always gets.
    """

    __slots__ = ("_bound", "_function", "place")

    def __init__(self, place: str, **bound: object) -> None:
        self.place = place
        self._bound = bound
        self._function: Callable[Parameters, Result] | None = None

    def load(self) -> Callable[Parameters, Result]:
        """The function itself. May be called in any thread."""
        if self._function is None:
            module, _, name = self.place.partition(":")
            function = getattr(import_module(module), name)
            self._function = cast("Callable[Parameters, Result]", partial(function, **self._bound) if self._bound else function)
        return self._function

    def __call__(self, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        """Call it."""
        return (self._function or self.load())(*args, **kwargs)
