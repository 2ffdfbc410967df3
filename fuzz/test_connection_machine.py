"""A connection against a reference model of ordering.

The model: plain requests are answered in the order in which they were sent, each when everything before it is; a tagged
request is answered as soon as its own work is done. What work is done, the scripted verifier tells. Whatever two clients
do, each of them sees what it would see alone, except for when a free worker comes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgpack
from host import TrioHost
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from trio.testing import wait_all_tasks_blocked

from bbipc.server.config import Limits
from bbipc.server.connection import End
from bbipc.wire.frame import encode_frame
from server.scripted import ScriptedClient, ScriptedServer, verdict_response, verification

HASH = ["Blake2s", {"data": b"abc"}]
HASHED = ["Blake2sResponse", {"hash": bytes.fromhex("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982")}]
MALFORMED = [
    b"",
    b"\xc1",
    b"\x90",
    b"\x93\xa1x\x02\x03",
    b"\x91\x91\xa1x",
    b"\x92\xc3\xc0",
    b"\x91\x92\xa7Blake2s\x80",
    b"\x91\xc0!",
]
logging.getLogger("bbipc.scheduler").setLevel(logging.CRITICAL)  # it reports the exceptions that the script asks for

CANCEL = "CancelRequestResponse"
KINDS = ["valid", "invalid", "error", "boom"]


@dataclass
class Expected:
    """A response that must come: when `key` is decided (or at once if there is none), with this value (None: any error;
    CANCEL: the answer to a CancelRequest)."""

    key: str | None
    value: Any


@dataclass
class Model:
    """What one client has to expect."""

    client: ScriptedClient
    plain: list[Expected] = field(default_factory=list)
    tagged: dict[int, Expected] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)  # ids whose second request must be refused
    cancels: set[int] = field(default_factory=set)  # ids that a CancelRequest was sent for
    cancelled: int = 0  # requests that were answered so
    reported: int = 0  # CancelRequests that found one
    pending: bytearray = field(default_factory=bytearray)  # bytes of frames that were sent only in part
    open: bool = True


class ConnectionMachine(RuleBasedStateMachine):
    """Clients send, stop reading, leave; workers finish in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.host = TrioHost()
        self.models: list[Model] = []
        self.counter = 0

    @initialize(threads=st.integers(1, 3), batch=st.integers(1, 5), limit=st.sampled_from([500, 5_000, 10**6]))
    def start(self, threads: int, batch: int, limit: int) -> None:
        self.bounded = limit < 10**6  # then a connection may not be read for a while

        async def make() -> None:
            self.server = ScriptedServer(self.host.nursery, threads, Limits(connection=limit), batch, envelope=False)
            for _ in range(2):
                self.models.append(Model(self.server.connect()))

        self.host.run(make)

    def teardown(self) -> None:
        try:
            if self.models:
                self._finish_everything()
        finally:
            self.host.close()

    # ---- What clients do ----

    def _model(self, which: int) -> Model | None:
        model = self.models[which % len(self.models)]
        return model if model.open else None

    def _send(self, model: Model, payload: bytes, cut: int) -> None:
        """Send all that is pending and the frame, except its last bytes if `cut` says so."""
        model.pending += encode_frame(payload)
        keep = min(cut, len(encode_frame(payload)) - 1)
        now = bytes(model.pending[: len(model.pending) - keep])
        del model.pending[: len(now)]
        self.host.run(lambda: model.client.send_bytes(now))

    @rule(which=st.integers(0, 1), kind=st.sampled_from(KINDS), cut=st.integers(0, 30))
    def plain_verification(self, which: int, kind: str, cut: int) -> None:
        if model := self._model(which):
            self.counter += 1
            key = f"{kind} {self.counter}"
            model.plain.append(Expected(key, verdict_response(key)))
            self._send(model, msgpack.packb([verification(key)]), cut)

    @rule(which=st.integers(0, 1), kind=st.sampled_from(KINDS), request_id=st.integers(1, 6), cut=st.integers(0, 30))
    def tagged_verification(self, which: int, kind: str, request_id: int, cut: int) -> None:
        if model := self._model(which):
            self.counter += 1
            key = f"{kind} {self.counter}"
            self._expect_tagged(model, request_id, Expected(key, verdict_response(key)))
            self._send(model, msgpack.packb([request_id, verification(key)]), cut)

    @rule(which=st.integers(0, 1), request_id=st.integers(0, 6), cut=st.integers(0, 30))
    def cheap(self, which: int, request_id: int, cut: int) -> None:
        if model := self._model(which):
            expected = Expected(None, HASHED)
            if request_id == 0:
                model.plain.append(expected)
            else:
                self._expect_tagged(model, request_id, expected)
            self._send(model, msgpack.packb([request_id, HASH]), cut)

    @rule(which=st.integers(0, 1), request_id=st.integers(0, 6), cut=st.integers(0, 30))
    def cancel(self, which: int, request_id: int, cut: int) -> None:
        if model := self._model(which):
            model.plain.append(Expected(None, CANCEL))
            model.cancels.add(request_id)
            self._send(model, msgpack.packb([["CancelRequest", {"request_id": request_id}]]), cut)

    @rule(which=st.integers(0, 1), payload=st.sampled_from(MALFORMED), cut=st.integers(0, 5))
    def malformed(self, which: int, payload: bytes, cut: int) -> None:
        if model := self._model(which):
            model.plain.append(Expected(None, None))
            self._send(model, payload, cut)

    @rule(which=st.integers(0, 1), request_id=st.integers(1, 6))
    def malformed_with_id(self, which: int, request_id: int) -> None:
        if model := self._model(which):
            self._expect_tagged(model, request_id, Expected(None, None))
            self._send(model, msgpack.packb([request_id, 5]), 0)

    def _expect_tagged(self, model: Model, request_id: int, expected: Expected) -> None:
        # The server sees requests in order; an id is in flight from then until its response is made. What it has not
        # seen yet (bytes kept back, a client that is not read) is resolved when the responses come, see _take_tagged().
        if request_id in model.tagged:
            model.refused.append(request_id)
            self._alternatives.setdefault((id(model), request_id), []).append(expected)
        else:
            model.tagged[request_id] = expected

    @property
    def _alternatives(self) -> dict[tuple[int, int], list[Expected]]:
        alternatives: dict[tuple[int, int], list[Expected]] = self.__dict__.setdefault("alternatives", {})
        return alternatives

    @rule(which=st.integers(0, 1), room=st.integers(0, 100))
    def stop_reading(self, which: int, room: int) -> None:
        if model := self._model(which):
            model.client.stream.room = room

    @rule(which=st.integers(0, 1), size=st.one_of(st.none(), st.integers(1, 100)))
    def read_on(self, which: int, size: int | None) -> None:
        if model := self._model(which):
            model.client.stream.take(size)
            self.host.run(wait_all_tasks_blocked)

    @precondition(lambda self: len(self.models) < 6)
    @rule(which=st.integers(0, 1))
    def leave(self, which: int) -> None:
        model = self.models[which]
        model.client.stream.break_()
        self.host.run(wait_all_tasks_blocked)
        model.open = False  # the server learns of it when it next reads or writes

        async def connect() -> ScriptedClient:
            return self.server.connect()

        self.models.append(model)
        self.models[which] = Model(self.host.run(connect))

    # ---- What workers do ----

    @precondition(lambda self: bool(self.models) and bool(self.server.workers.waiting))
    @rule(index=st.integers(0, 10))
    def finish_one(self, index: int) -> None:
        workers = self.server.workers
        self.host.run(lambda: workers.release(index % len(workers.waiting)))

    def _finish_everything(self) -> None:
        """Everybody sends and reads everything; then every request is answered exactly once."""
        for model in self.models:
            if model.open:
                model.client.stream.take(None)
                rest = bytes(model.pending)
                model.pending.clear()
                self.host.run(partial(model.client.send_bytes, rest))
        self.host.run(self.server.workers.release_all)
        self.responses_are_those_of_the_model()
        for model in self.models:
            if model.open:
                assert not model.plain
                assert not model.tagged
                assert not model.refused
                assert model.cancelled == model.reported
            else:
                assert model.client.ended is End.LOST
        self.host.run(wait_all_tasks_blocked)
        assert self.server.scheduler.idle
        assert self.server.budget.used == 0

    # ---- What must hold ----

    @invariant()
    def responses_are_those_of_the_model(self) -> None:
        self._take_responses()
        for model in self.models:
            # What is due has come, if the client reads all and is read at all.
            if model.open and not self.bounded and model.client.stream.room is None and not model.pending and model.plain:
                assert not self._is_due(model.plain[0])

    def _take_responses(self) -> None:
        for model in self.models:
            if model.open:
                for response in model.client.responses():
                    if isinstance(response[0], int):
                        self._take_tagged(model, *response)
                    else:
                        self._take_plain(model, response)

    @invariant()
    def never_more_calls_than_workers(self) -> None:
        if self.models:
            assert self.server.workers.most <= self.server.scheduler.threads

    def _is_due(self, expected: Expected) -> bool:
        """Whether its response can be waited for no more: its work is done, and no bigger batch holds the verdict back."""
        if expected.key is None:
            return True
        return expected.key in self.server.backend.decided and not self.server.workers.waiting

    def _take_plain(self, model: Model, response: Any) -> None:
        assert model.plain, response
        expected = model.plain.pop(0)
        if expected.value == CANCEL:
            assert response[0] == CANCEL
            model.reported += response[1]["cancelled"]
        else:
            self._matches(expected, response)

    def _take_tagged(self, model: Model, request_id: int, response: Any) -> None:
        others = self._alternatives.get((id(model), request_id), [])
        if response[0] == "ErrorResponse" and "already in flight" in response[1]["message"]:
            assert request_id in model.refused
            model.refused.remove(request_id)
            others.pop(0)  # refusals come in the order of the requests
            return
        expected = model.tagged.pop(request_id)
        if response == ["ErrorResponse", {"message": "cancelled by CancelRequest"}]:
            assert request_id in model.cancels
            assert expected.key is not None  # what is answered at once cannot be cancelled
            model.cancelled += 1
        else:
            self._matches(expected, response)
        if others:  # the next request with this id was sent while this one was unanswered for the client, but not here
            model.refused.remove(request_id)
            model.tagged[request_id] = others.pop(0)

    def _matches(self, expected: Expected, response: Any) -> None:
        if expected.value is None:
            assert response[0] == "ErrorResponse"
        else:
            assert response == expected.value
        if expected.key is not None:
            assert expected.key in self.server.backend.decided or expected.key.startswith("boom")


TestConnection = ConnectionMachine.TestCase
