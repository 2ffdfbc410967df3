"""The order of turns in a queue of groups, against lists."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bbipc.server.fair import GroupedQueue, group_of

clients = st.integers(0, 8)


def group(client: int) -> int:
    return client % 3


class Grouped(RuleBasedStateMachine):
    """`turns`: for each group in the order of their turns, its clients in theirs, with their items."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: GroupedQueue[int, int] = GroupedQueue(group)
        self.turns: list[list[tuple[int, list[int]]]] = []
        self.number = 0
        self.taken: dict[int, int] = {}  # the last item that a client got out

    def items(self, client: int) -> list[int]:
        return next((items for clients in self.turns for other, items in clients if other == client), [])

    def neighbours(self, client: int) -> list[tuple[int, list[int]]]:
        return next((clients for clients in self.turns if group(clients[0][0]) == group(client)), [])

    def join(self, client: int) -> list[int]:
        """The items of a client that is there from now on."""
        items = self.items(client)
        if not items:
            clients = self.neighbours(client)
            if not clients:
                self.turns.append(clients)
            clients.append((client, items))
        return items

    def leave(self, client: int) -> None:
        """A client without items, and a group without clients, have no turns."""
        clients = next(clients for clients in self.turns if any(other == client for other, _ in clients))
        clients[:] = [(other, items) for other, items in clients if items]
        self.turns = [clients for clients in self.turns if clients]

    def end(self, client: int) -> None:
        """It was the turn of this client, and of its group."""
        clients = next(clients for clients in self.turns if any(other == client for other, _ in clients))
        clients.sort(key=lambda entry: entry[0] == client)
        self.turns.sort(key=lambda each: each is clients)

    @rule(client=clients)
    def push(self, client: int) -> None:
        self.number += 1
        self.queue.push(client, self.number)
        self.join(client).append(self.number)

    @rule(client=clients)
    def put_back(self, client: int) -> None:
        if client in self.taken:
            self.queue.put_back(client, self.taken[client])
            self.join(client).insert(0, self.taken.pop(client))
            self.end(client)

    @rule()
    @precondition(lambda self: self.turns)
    def pop(self) -> None:
        client, items = self.turns[0][0]
        assert self.queue.peek() == items[0]
        assert self.queue.pop() == items[0]
        self.take(client, items)

    @rule(client=clients)
    def pop_of(self, client: int) -> None:
        items = self.items(client)
        if items:
            assert self.queue.peek(client) == items[0]
            assert self.queue.pop(client) == items[0]
            self.take(client, items)

    def take(self, client: int, items: list[int]) -> None:
        self.taken[client] = items.pop(0)
        self.end(client)
        self.leave(client)

    @rule(client=clients)
    def end_turn(self, client: int) -> None:
        if self.items(client):
            self.queue.end_turn(client)
            self.end(client)

    @rule(client=clients)
    def remove(self, client: int) -> None:
        items = self.items(client)
        if items:
            item = items.pop()
            assert self.queue.remove(client, item)
            assert not self.queue.remove(client, item)
            self.leave(client)
        assert not self.queue.remove(client, 0)

    @rule(client=clients)
    def drop(self, client: int) -> None:
        items = self.items(client)
        assert self.queue.drop(client) == items
        if items:
            items.clear()
            self.leave(client)

    @invariant()
    def agree(self) -> None:
        assert list(self.queue.clients()) == [client for clients in self.turns for client, _ in clients]
        assert [list(each.clients()) for each in self.queue.groups()] == [[client for client, _ in each] for each in self.turns]
        assert len(self.queue) == sum(len(items) for clients in self.turns for _, items in clients)
        if not self.turns:
            for function in (self.queue.peek, self.queue.pop):
                with pytest.raises(IndexError):
                    function()


TestGrouped = Grouped.TestCase
TestGrouped.settings = settings(stateful_step_count=30)


def test_a_client_without_a_group_is_one() -> None:
    class Member:
        group = "group"

    assert group_of("client") == "client"
    assert group_of(Member()) == "group"
