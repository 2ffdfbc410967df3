"""The published schema of bb's API: commands and responses by name.

``schema.json`` is what ``bb msgpack schema`` of bb.js 5.0.0 prints; ``extensions.json``, in the same notation, has what bbipc
serves and bb does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from bbipc.wire.values import SIMPLE, Structure, Type, byte_string, element, structure, vector

ERROR_RESPONSE: Final = "ErrorResponse"


class Schema:
    """Commands and responses by name, each decoded when it is first asked for."""

    def __init__(self, published: Mapping[str, Any]) -> None:
        self._commands: dict[str, Any] = dict(published["commands"][1])
        self._responses: dict[str, Any] = dict(published["responses"][1])
        # Responses stand in the order of their commands, behind the one that is every command's.
        answers = [name for name in self._responses if name != ERROR_RESPONSE]
        self._response_names = dict(zip(self._commands, answers, strict=True))
        self._spellings: dict[str, Any] = {}
        self._built: dict[str, Type] = {}
        self._collect([*self._commands.values(), *self._responses.values()])

    @property
    def command_names(self) -> tuple[str, ...]:
        """All commands, in the order of the schema."""
        return tuple(self._commands)

    def knows(self, name: str) -> bool:
        """Whether there is a command `name`."""
        return name in self._commands

    def command(self, name: str) -> Structure:
        """The fields of command `name`; KeyError if there is none."""
        return self._structure(self._commands[name])

    def response(self, name: str) -> Structure:
        """The fields of response `name` ("...Response"); KeyError if there is none."""
        return self._structure(self._responses[name])

    def response_name(self, command: str) -> str:
        """The response to `command`; KeyError if there is none."""
        return self._response_names[command]

    def describe(self, commands: tuple[str, ...]) -> dict[str, Any]:
        """The schema of `commands` and their responses, in the notation and order of the published one."""
        served = [name for name in self._commands if name in commands]
        answers = [ERROR_RESPONSE, *(self.response_name(name) for name in served)]
        defined: set[str] = set()
        return {
            "__typename": "Api",
            "commands": ["named_union", [[name, self.command(name).describe(defined)] for name in served]],
            "responses": ["named_union", [[name, self.response(name).describe(defined)] for name in answers]],
        }

    def _collect(self, spelling: Any) -> None:
        """Remember every structure that is spelled out, because it is spelled out only where it occurs first."""
        if isinstance(spelling, list):
            for part in spelling:
                self._collect(part)
        elif isinstance(spelling, dict):
            self._spellings[spelling["__typename"]] = spelling
            self._collect(list(spelling.values()))

    def _structure(self, spelling: Any) -> Structure:
        built = self._build(spelling)
        assert isinstance(built, Structure)
        return built

    def _build(self, spelling: Any) -> Type:
        if isinstance(spelling, dict):
            return self._build(spelling["__typename"])
        if isinstance(spelling, str):
            if spelling in SIMPLE:
                return SIMPLE[spelling]
            if spelling not in self._built:
                self._built[spelling] = self._build_structure(self._spellings[spelling])
            return self._built[spelling]
        kind, arguments = spelling
        if kind == "alias":
            return element(arguments[0])
        count = arguments[1] if kind == "array" else None
        return byte_string(count) if arguments[0] == "unsigned char" else vector(self._build(arguments[0]), count)

    def _build_structure(self, spelling: Mapping[str, Any]) -> Structure:
        types = {key: self._build(value) for key, value in spelling.items() if key != "__typename"}
        return structure(spelling["__typename"], types)


def _load(name: str) -> Any:
    # Not by importlib.resources, which takes as long to import as everything else here.
    return json.loads(Path(__file__).with_name(name).read_bytes())


@cache
def published() -> Schema:
    """The schema of bb.js 5.0.0."""
    return Schema(_load("schema.json"))


@cache
def extended() -> Schema:
    """The schema of bb.js 5.0.0 and, behind it, the extensions of bbipc."""
    bb, ours = _load("schema.json"), _load("extensions.json")
    return Schema({kind: ["named_union", bb[kind][1] + ours[kind][1]] for kind in ("commands", "responses")})
