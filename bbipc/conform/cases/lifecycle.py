"""Suite lifecycle: start, end of input, Shutdown, signals."""

# ruff: noqa: D103 - the rule of a case is its documentation

import signal
import socket
import stat
import sys
from pathlib import Path
from typing import Final

import trio

from bbipc.conform.case import NotApplicable, Suite, broken
from bbipc.conform.cases.common import LAW, valid_call
from bbipc.conform.lab import Lab
from bbipc.conform.messages import blake2s_request, blake2s_response, call, verdict_of
from bbipc.conform.target import describe_exit, new_shm_name, start, start_command
from bbipc.shm import files

suite = Suite("lifecycle", LAW)

SECTION_4 = "docs/protocol.md#the-law"
_PAUSE: Final = 0.01


@suite.case("eof-at-once", "End of input between frames: exit code 0.", transport="pipe", recorded=("framing/eof_at_once",))
async def eof_at_once(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.finish()
        await server.expect_exit(0, "at the end of input")


@suite.case(
    "eof-drains",
    "What is in flight at the end of input is answered, then the exit code is 0.",
    transport="pipe",
    recorded=("framing/one_request",),
)
async def eof_drains(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.send(valid_call() + blake2s_request(b"abc"), "ChonkVerify and Blake2s")
        await peer.close_sending()
        replies = await peer.drain()
        if (
            len(replies) != 2
            or verdict_of(replies[0]) not in lab.expected("valid")
            or replies[1].response != blake2s_response(b"abc")
        ):
            broken("the verdict and the hash", ", ".join(map(str, replies)) or "nothing")
        await server.expect_exit(0, "at the end of input")


@suite.case(
    "eof-drains-tagged", "Tagged requests in flight at the end of input are answered, too.", transport="pipe", tagged=True
)
async def eof_drains_tagged(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.send(b"".join(valid_call(index) for index in range(1, 6)), "5 tagged ChonkVerify")
        await peer.close_sending()
        replies = await peer.drain()
        if sorted(reply.request_id or 0 for reply in replies) != [1, 2, 3, 4, 5]:
            broken("verdicts with the ids 1 .. 5", ", ".join(map(str, replies)) or "nothing")
        await server.expect_exit(0, "at the end of input")


@suite.case(
    "eof-in-length",
    "End of input inside a length: exit code 1, after what was complete is answered.",
    transport="pipe",
    recorded=("framing/eof_in_length",),
)
async def eof_in_length(lab: Lab) -> None:
    await _eof_inside(lab, blake2s_request(b"x")[:2])


@suite.case(
    "eof-in-body",
    "End of input inside a frame: exit code 1, after what was complete is answered.",
    transport="pipe",
    recorded=("framing/eof_in_body",),
)
async def eof_in_body(lab: Lab) -> None:
    await _eof_inside(lab, blake2s_request(b"x")[:10])


@suite.case(
    "eof-behind-object",
    "End of input where a request is complete but its frame is not: no answer to it but an error, exit code 1.",
    transport="pipe",
)
async def eof_behind_object(lab: Lab) -> None:
    payload = blake2s_request(b"x")[4:]
    await _eof_inside(lab, (len(payload) + 1).to_bytes(4, "little") + payload)


async def _eof_inside(lab: Lab, rest: bytes) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.send(blake2s_request(b"abc") + rest, "Blake2s 'abc' and the beginning of another frame")
        await peer.close_sending()
        replies = await peer.drain()
        if not replies or replies[0].response != blake2s_response(b"abc"):
            broken("the answer to the complete request", replies[0] if replies else "nothing")
        if any(not reply.is_error for reply in replies[1:]) or len(replies) > 2:
            broken("nothing, or one error, for the incomplete frame", replies[1])
        await server.expect_exit(1, "at the end of input inside a frame")


@suite.case(
    "shutdown",
    "Shutdown is answered, then the process ends with exit code 0 by itself.",
    recorded=("framing/shutdown", "framing/shutdown_no_close", "socket/shutdown"),
)
async def shutdown(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.send(blake2s_request(b"abc"), "Blake2s 'abc'")
        await peer.expect(blake2s_response(b"abc"))
        await peer.send(call("Shutdown", {}), "Shutdown; the input stays open")
        await peer.expect(["ShutdownResponse", {}])
        await peer.expect_end("nothing behind the answer to Shutdown")
        await server.expect_exit(0, "after Shutdown")


@suite.case("shutdown-last", "Shutdown is answered last: everything in flight is answered before.")
async def shutdown_last(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.send(valid_call() + blake2s_request(b"abc") + call("Shutdown", {}), "ChonkVerify, Blake2s, Shutdown")
        replies = await peer.drain()
        if [reply.name for reply in replies] != ["ChonkVerifyResponse", "Blake2sResponse", "ShutdownResponse"]:
            broken("the verdict, the hash, the answer to Shutdown, and the end", ", ".join(map(str, replies)) or "nothing")
        await server.expect_exit(0, "after Shutdown")


@suite.case("shutdown-then-request", "Behind Shutdown no request is read.", recorded=("framing/shutdown_then_request",))
async def shutdown_then_request(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.send(call("Shutdown", {}) + blake2s_request(b"abc"), "Shutdown, Blake2s 'abc'")
        await peer.expect(["ShutdownResponse", {}])
        await peer.expect_end("nothing behind the answer to Shutdown")
        await server.expect_exit(0, "after Shutdown")


async def _signal(lab: Lab, number: signal.Signals) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.check_alive()
        server.signal(number)
        await peer.expect_end("the end of output")
        await server.expect_exit(0, f"after {number.name}")


@suite.case("sigterm", "SIGTERM ends an idle server with exit code 0.", recorded=("socket/sigterm",))
async def sigterm(lab: Lab) -> None:
    await _signal(lab, signal.SIGTERM)


@suite.case("sigint", "SIGINT ends an idle server with exit code 0.", recorded=("socket/sigint",))
async def sigint(lab: Lab) -> None:
    await _signal(lab, signal.SIGINT)


@suite.case("sigterm-drains", "After SIGTERM what is in flight is answered, then the exit code is 0.", tagged=True)
async def sigterm_drains(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        # Once the hash was answered, the requests before it have been read.
        await peer.send(
            valid_call(1) + valid_call(2) + blake2s_request(b"abc", 3), "[1, ChonkVerify], [2, ChonkVerify], [3, Blake2s]"
        )
        open_ids = {1, 2, 3}
        while 3 in open_ids:
            open_ids.discard((await peer.receive("the answer with id 3")).request_id or 0)
        server.signal(signal.SIGTERM)
        for reply in await peer.drain():
            if reply.request_id not in open_ids or verdict_of(reply) not in lab.expected("valid"):
                broken("the verdicts in flight", reply)
            open_ids.discard(reply.request_id)
        if open_ids:
            broken("all requests in flight answered", f"none for the ids {sorted(open_ids)}")
        await server.expect_exit(0, "after SIGTERM")


@suite.case(
    "second-signal", "A second SIGTERM ends a server that drains at once, even if nobody reads its responses.", transport="pipe"
)
async def second_signal(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect(read_later=True)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.send, blake2s_request(b"abc") * 20_000, "20000 hash requests, whose answers nobody reads")
            await trio.sleep(0.5)  # time to fill the pipe; the rule holds however far the server came
            server.signal(signal.SIGTERM)
            await trio.sleep(0.1)
            server.signal(signal.SIGTERM)
            await server.wait()
            nursery.cancel_scope.cancel()


@suite.case("reader-gone", "When nobody can read its standard output any more, the process ends.", transport="pipe")
async def reader_gone(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.check_alive()
        assert server.process.stdout is not None
        await server.process.stdout.aclose()
        await peer.send(blake2s_request(b"abc"), "Blake2s, after the output was closed")
        await server.wait()


@suite.case("parent-death", "A server on a pipe ends when its parent dies, although its input stays open.", transport="pipe")
async def parent_death(lab: Lab) -> None:
    if sys.platform != "linux":
        raise NotApplicable("Linux only")
    # The child inherits our ends of the pipes from its parent, so they stay open when that dies.
    program = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    async with start_command([sys.executable, "-c", program, *lab.target.arguments()], lab.record) as server:
        peer = await server.connect()
        await peer.check_alive()
        lab.record.add("harness", "signal", "SIGKILL to the parent of the server")
        server.process.kill()
        await peer.expect_end("the end of output")


@suite.case("stdout-clean", "Standard output carries frames and nothing else, whatever happens.", transport="pipe")
async def stdout_clean(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.send(
            blake2s_request(b"abc") + call("GrumpkinReduce512", {"input": bytes(64)}) + valid_call(), "three requests"
        )
        await peer.close_sending()
        replies = await peer.drain()
        if [reply.name for reply in replies] != ["Blake2sResponse", "GrumpkinReduce512Response", "ChonkVerifyResponse"]:
            broken("three responses and no other byte", ", ".join(map(str, replies)) or "nothing")


@suite.case(
    "file-replay",
    "`--input FILE` answers the frames of a file on standard output, then exits with 0.",
    source=SECTION_4,
    transport="pipe",
)
async def file_replay(lab: Lab) -> None:
    file = lab.directory / "requests.bin"
    file.write_bytes(blake2s_request(b"abc") + blake2s_request(b"def"))
    async with start(lab.target, lab.record, "--input", str(file)) as server:
        peer = await server.connect()
        replies = await peer.drain()
        if [reply.response for reply in replies] != [blake2s_response(b"abc"), blake2s_response(b"def")]:
            broken("two hashes", ", ".join(map(str, replies)) or "nothing")
        await server.expect_exit(0, "at the end of the file")


# ---- Sockets ---------------------------------------------------------------------------------------------------------


@suite.case(
    "socket-mode", "The socket has mode 0600.", source=SECTION_4, transport="socket", recorded=("socket/mode_and_split",)
)
async def socket_mode(lab: Lab) -> None:
    async with lab.server() as server:
        await (await server.connect()).check_alive()
        assert server.socket_path is not None
        mode = stat.S_IMODE(server.socket_path.stat().st_mode)
        if mode != 0o600:
            broken("mode 0600", f"{mode:04o}")


@suite.case(
    "socket-removed",
    "The socket is removed when the server ends.",
    source=SECTION_4,
    transport="socket",
    recorded=("socket/sigterm",),
)
async def socket_removed(lab: Lab) -> None:
    async with lab.server() as server:
        await (await server.connect()).check_alive()
        assert server.socket_path is not None
        server.signal(signal.SIGTERM)
        await server.expect_exit(0, "after SIGTERM")
        if server.socket_path.exists():
            broken("no socket any more", "it is still there")


@suite.case("socket-stale", "A socket that a dead server left behind is replaced.", source=SECTION_4, transport="socket")
async def socket_stale(lab: Lab) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(lab.directory / "s.sock"))
    lab.record.add("harness", "left", "a socket file that nobody listens at")
    async with lab.server() as server:
        peer = await server.connect()
        await peer.check_alive()
        await peer.finish()


@suite.case(
    "socket-regular-file",
    "A file at the path of the socket that is not a socket is left alone, and the process ends with an error.",
    source=SECTION_4,
    transport="socket",
)
async def socket_regular_file(lab: Lab) -> None:
    path, text = lab.directory / "s.sock", "somebody's notes"
    path.write_text(text)
    lab.record.add("harness", "left", "a regular file at the path of the socket")
    await _cannot_listen(lab, path)
    if not path.is_file() or path.read_text() != text:
        broken("the file as it was", "it is changed or gone")


@suite.case(
    "socket-no-directory",
    "A socket in a directory that is not there: the process ends with an error.",
    source=SECTION_4,
    transport="socket",
    recorded=("socket/path_dir_missing",),
)
async def socket_no_directory(lab: Lab) -> None:
    await _cannot_listen(lab, lab.directory / "missing" / "s.sock")


@suite.case(
    "socket-path-too-long",
    "A path too long for a socket: the process ends with an error.",
    source=SECTION_4,
    transport="socket",
    recorded=("socket/path_too_long",),
)
async def socket_path_too_long(lab: Lab) -> None:
    await _cannot_listen(lab, lab.directory / f"{'l' * 120}.sock")


async def _cannot_listen(lab: Lab, path: Path) -> None:
    async with start(lab.target, lab.record, socket_path=path) as server:
        code = await server.wait()
        if code <= 0:
            broken("an exit code above 0", f"the process {describe_exit(code)}")


@suite.case(
    "socket-reconnect", "Clients may come and go.", source=SECTION_4, transport="socket", recorded=("socket/reconnect",)
)
async def socket_reconnect(lab: Lab) -> None:
    async with lab.server() as server:
        for index in range(5):
            peer = await server.connect(f"client {index}")
            await peer.check_alive()
            await peer.finish()


# ---- Shared memory ---------------------------------------------------------------------------------------------------

_SHM: Final = "docs/protocol.md#shared-memory"


@suite.case("shm-mode", "The files of shared memory have mode 0600.", source=_SHM, transport="shm")
async def shm_mode(lab: Lab) -> None:
    async with lab.server() as server:
        await (await server.connect()).check_alive()
        for path in server.shm_paths():
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode != 0o600:
                broken(f"mode 0600 of {path.name}", f"{mode:04o}")


@suite.case("shm-removed", "The files of shared memory are removed when the server ends.", source=_SHM, transport="shm")
async def shm_removed(lab: Lab) -> None:
    async with lab.server() as server:
        await (await server.connect()).check_alive()
        server.signal(signal.SIGTERM)
        await server.expect_exit(0, "after SIGTERM")
        for path in server.shm_paths():
            if path.exists():
                broken("no file in /dev/shm any more", f"{path} is still there")


@suite.case("shm-stale", "Files that a dead server left behind are replaced.", source=_SHM, transport="shm")
async def shm_stale(lab: Lab) -> None:
    name = new_shm_name()
    for path in (files.request_path(name), files.response_path(name)):
        path.write_bytes(b"\xff" * 5000)
    lab.record.add("harness", "left", "two files of 5000 bytes in /dev/shm")
    async with start(lab.target, lab.record, shm_name=name) as server:
        while files.request_path(name).stat().st_size == 5000 and server.process.poll() is None:
            await trio.sleep(_PAUSE)
        peer = await server.connect()
        await peer.check_alive()
        await peer.finish()
