"""A Dask cluster of real processes on this machine, started by Dask's own commands."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from distributed import Client

TIMEOUT = 120.0
_NETWORK = "10.91.0"


@dataclass
class Cluster:
    """A scheduler and its workers. Each worker is a nanny, which starts the process that works again whenever it ends."""

    folder: Path
    address: str
    scheduler: subprocess.Popen[bytes]
    stack: ExitStack
    environment: dict[str, str]
    namespaces: Sequence[str] = ()
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self, *options: str, preload: Path | None = None) -> None:
        arguments = [
            "worker",
            self.address,
            "--nthreads",
            "1",
            "--no-dashboard",
            "--local-directory",
            str(self.folder),
            *options,
        ]
        if preload is not None:
            arguments += ["--preload", str(preload)]
        self.workers.append(self.stack.enter_context(_dask(arguments, self.folder, self.environment, self._inside())))

    def wait_for_nannies(self) -> None:
        """Until each has seen its worker start. One whose first worker ends before that gives up, and starts no other."""
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers))
            client.run(int, nanny=True)

    def _inside(self) -> list[str]:
        return _in(self.namespaces[1 + len(self.workers)]) if self.namespaces else []

    def kill_a_worker(self, number: int) -> None:
        """End the process that works under a nanny, as the kernel would for want of memory."""
        for pid in _children(self.workers[number].pid):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def cluster(
    folder: Path,
    workers: int,
    *,
    preload: Path | None = None,
    tls: Sequence[str] = (),
    namespaces: Sequence[str] = (),
    **config: str,
) -> Iterator[Cluster]:
    environment = os.environ | {"DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning"} | config
    contact = folder / "scheduler.json"
    address = ["--host", "tls://127.0.0.1" if tls else f"tcp://{_NETWORK}.1" if namespaces else "tcp://127.0.0.1"]
    arguments = ["scheduler", *address, "--port", "0", "--no-dashboard", "--scheduler-file", str(contact), *tls]
    with ExitStack() as stack:
        scheduler = stack.enter_context(_dask(arguments, folder, environment, _in(namespaces[0]) if namespaces else []))
        made = Cluster(folder, _address(contact, scheduler), scheduler, stack, environment, namespaces)
        for _ in range(workers):
            made.add_worker(*tls, preload=preload)
        yield made


@contextmanager
def networks(count: int) -> Iterator[list[str]]:
    """Network namespaces with the addresses 10.91.0.1 and so on, joined by a bridge; none if they cannot be made."""
    names = [f"bbipc{os.getpid()}-{number}" for number in range(count)]
    with ExitStack() as stack:
        try:
            for number, name in enumerate(names):
                _ip("netns", "add", name)
                stack.callback(_ip, "netns", "del", name)
                _ip("-n", name, "link", "set", "lo", "up")
                if number == 0:
                    _ip("-n", name, "link", "add", "net", "type", "bridge")
                else:
                    port = f"port{number}"
                    _ip("-n", name, "link", "add", "net", "type", "veth", "peer", "name", port, "netns", names[0])
                    _ip("-n", names[0], "link", "set", port, "master", "net", "up")
                _ip("-n", name, "address", "add", f"{_NETWORK}.{number + 1}/24", "dev", "net")
                _ip("-n", name, "link", "set", "net", "up")
        except (OSError, subprocess.CalledProcessError):
            names = []
        yield names


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _in(namespace: str) -> list[str]:
    return ["ip", "netns", "exec", namespace]


def wait_for(file: Path) -> None:
    """Until `file` is there."""
    wait_until(file.exists)


def wait_until(true: Callable[[], bool]) -> None:
    """Until it is true; the deadline is no assertion, it only ends a test whose processes are broken."""
    deadline = time.monotonic() + TIMEOUT
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError("waited in vain")
        time.sleep(0.01)


def _address(contact: Path, scheduler: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + TIMEOUT  # not an assertion: only so that a broken scheduler ends the test
    while time.monotonic() < deadline and scheduler.poll() is None:
        try:
            address: str = json.loads(contact.read_bytes())["address"]
        except (OSError, ValueError):
            time.sleep(0.02)
        else:
            return address
    raise RuntimeError("the scheduler did not start; its log is in its folder")


@contextmanager
def _dask(
    arguments: Sequence[str], folder: Path, environment: dict[str, str], inside: Sequence[str]
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{arguments[0]}.log").open("ab") as log:
        process = subprocess.Popen(
            [*inside, sys.executable, "-P", "-m", "dask", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
        )
        try:
            yield process
        finally:
            below = _children(process.pid)
            process.kill()
            process.wait()
            for pid in below:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    try:
        direct = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [grandchild for child in direct for grandchild in (*_children(child), child)]
