"""How many small requests a second the clients get answered, and what they pay for each.

    python bench/client.py                                   # the bbipc of this interpreter
    python bench/client.py --also OTHER_VENV/bin/python      # and another one, in turn, in one run

Each way of calling gets a server of its own and performs the same `Blake2s` requests: one after the other, or with many under
way. The client's processor time tells what the machine's other work cannot blur. A way that an older bbipc does not have is
left out.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

SERVER: Final = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run"]
UNDER_WAY: Final = 64
WARM_UP: Final = 200


def measured(work: Callable[[], None], count: int) -> dict[str, float]:
    """Requests a second, and microseconds of processor time that this process spends on each."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return {
        "per_second": count / (time.perf_counter() - wall),
        "processor_us": 1e6 * (time.process_time() - processor) / count,
    }


def blocking(count: int, threads: int) -> dict[str, float]:
    from bbipc.client.blocking import open_client  # noqa: PLC0415 - each way loads what it needs

    with open_client(command=SERVER, timeout=60) as client:

        def calls(number: int) -> None:
            for _ in range(number):
                client.call("Blake2s", data=b"abc")

        def work() -> None:
            if threads == 1:
                calls(count)
                return
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(calls, [count // threads] * threads))

        calls(WARM_UP)
        return measured(work, count)


def asynchronous(count: int, backend: str, under_way: int) -> dict[str, float]:
    from bbipc.client import Client, open_client  # noqa: PLC0415

    async def calls(client: Client, number: int) -> None:
        for _ in range(number):
            await client.call_tagged("Blake2s", data=b"abc")

    async def with_trio() -> dict[str, float]:
        async with open_client(command=SERVER) as client:
            await calls(client, WARM_UP)
            wall, processor = time.perf_counter(), time.process_time()
            async with trio.open_nursery() as nursery:
                for _ in range(under_way):
                    nursery.start_soon(calls, client, count // under_way)
            return {
                "per_second": count / (time.perf_counter() - wall),
                "processor_us": 1e6 * (time.process_time() - processor) / count,
            }

    async def with_asyncio() -> dict[str, float]:
        async with open_client(command=SERVER) as client:
            await calls(client, WARM_UP)
            wall, processor = time.perf_counter(), time.process_time()
            await asyncio.gather(*(calls(client, count // under_way) for _ in range(under_way)))
            return {
                "per_second": count / (time.perf_counter() - wall),
                "processor_us": 1e6 * (time.process_time() - processor) / count,
            }

    if backend == "trio":
        import trio  # noqa: PLC0415

        return trio.run(with_trio)
    import asyncio  # noqa: PLC0415

    return asyncio.run(with_asyncio())


WAYS: Final[dict[str, Callable[[int], dict[str, float]]]] = {
    "blocking, one after the other": partial(blocking, threads=1),
    "blocking, 64 threads": partial(blocking, threads=UNDER_WAY),
    "Trio, one after the other": partial(asynchronous, backend="trio", under_way=1),
    "Trio, 64 tasks": partial(asynchronous, backend="trio", under_way=UNDER_WAY),
    "asyncio, one after the other": partial(asynchronous, backend="asyncio", under_way=1),
    "asyncio, 64 tasks": partial(asynchronous, backend="asyncio", under_way=UNDER_WAY),
}


def in_process_of(python: str, way: str, count: int) -> dict[str, float] | None:
    """What `way` achieves under the interpreter `python`; None if its bbipc does not have that way."""
    words = [python, "-P", __file__, "--way", way, "--count", str(count)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--also", metavar="PYTHON", help="another environment with a bbipc, to be compared with")
    parser.add_argument("--count", type=int, default=6400, help="requests of a measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements, of which the median is shown")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way is not None:
        print(json.dumps(WAYS[arguments.way](arguments.count)))
        return
    pythons = [sys.executable, *([arguments.also] if arguments.also else [])]
    print(f"{'':<30} {'requests a second':>20} {'processor time of each':>24}")
    for way in WAYS:
        rounds = [[in_process_of(python, way, arguments.count) for python in pythons] for _ in range(arguments.rounds)]
        for number, python in enumerate(pythons):
            results = [one for results in rounds if (one := results[number]) is not None]
            name = way if python == sys.executable else "  the other"
            if not results:
                print(f"{name:<30} {'-':>20} {'-':>24}")
                continue
            per_second = statistics.median(one["per_second"] for one in results)
            processor = statistics.median(one["processor_us"] for one in results)
            print(f"{name:<30} {per_second:>20,.0f} {processor:>21.0f} us")


if __name__ == "__main__":
    main()
