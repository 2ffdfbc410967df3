"""Servers that many tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import npm
from server.live import Peer, Server, serving, watched

TRANSPORTS = ("pipe", "socket")


@pytest.fixture(scope="session", params=TRANSPORTS)
def shared_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a transport: each leaves it alive and in step, which the next one checks."""
    with serving(tmp_path_factory.mktemp("server"), on_socket=request.param == "socket", patience=None) as server:
        yield server
        assert server.process.poll() is None, server.log()


@pytest.fixture
def peer(shared_server: Server) -> Iterator[Peer]:
    """A client of the shared server."""
    client = shared_server.connect()
    with watched(shared_server.process):
        yield client
    if shared_server.path is not None:
        client.close()


@pytest.fixture(params=TRANSPORTS)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """Starts a server of one's own: a context manager of :class:`Server`."""
    return lambda *options, **keywords: serving(tmp_path, *options, on_socket=request.param == "socket", **keywords)


@pytest.fixture(scope="session")
def bbjs() -> Path:
    """The real client of npm."""
    return npm.installed("@aztec/bb.js", "5.0.0", entry="dest/node/index.js")
