"""The service of docs/how-to/asyncio.md, as it stands there: many users at once, whose proofs become batches by themselves."""

import re
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from client.servers import BBIPC
from samples import DATA, FLOW1

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "asyncio.md"
PATIENCE = 300.0
USERS = 48


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the page defines before it opens a client of its own, with the server of these tests."""
    monkeypatch.chdir(DATA.parents[1])
    names: dict[str, Any] = {"__name__": "service"}
    for block in blocks()[:2]:
        exec(compile(block, str(PAGE), "exec"), names)
    names["SERVER"] = BBIPC
    return names


def test_the_service(page: dict[str, Any]) -> None:
    good = (DATA / "flow1" / "proof.msgpack").read_bytes()
    bad = bytearray(good)
    bad[-1] ^= 1

    async def use() -> None:
        app = page["app"]
        transport = httpx.ASGITransport(app=app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://service") as user:
            answers: dict[int, httpx.Response] = {}

            async def ask(number: int) -> None:
                answers[number] = await user.post("/verify/flow1", content=good if number % 4 else bytes(bad))

            async with anyio.create_task_group() as group:
                for number in range(USERS):
                    group.start_soon(ask, number)
            assert {answer.status_code for answer in answers.values()} == {200}
            valid = {number for number, answer in answers.items() if answer.json()["outcome"] == "valid"}
            assert valid == {number for number in range(USERS) if number % 4}

            stats = await app.state.client.call("Stats")
            assert sum(size["batches"] for size in stats["batches"]) < USERS, "proofs were verified together"
            assert (await user.get("/health")).json() == {"waiting": 0, "running": 0}
            assert (await user.post("/verify/other", content=good)).status_code == 404
            refused = await user.post("/verify/flow1", content=b"no proof")
            assert refused.status_code == 422
            assert refused.json()["detail"]

            index = await page["first_bad"](app.state.client, [FLOW1.proof] * 3, FLOW1.vk)
            assert index is None
            assert await page["first_bad"](app.state.client, [FLOW1.proof] * 3, bytes(8)) == 0

    async def bounded() -> None:
        with anyio.fail_after(PATIENCE):
            await use()

    anyio.run(bounded)


def test_the_blocking_client_of_the_page(page: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(blocks()[2], str(PAGE), "exec"), page)
    assert capsys.readouterr().out == "valid\n"
