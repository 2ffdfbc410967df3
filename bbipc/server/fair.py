"""A queue that serves its clients in turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Client = TypeVar("Client", bound=Hashable)
Item = TypeVar("Item")


class FairQueue(Generic[Client, Item]):
    """First in, first out for each client; one item of each client in turn. All operations take constant time, except
    that drop() looks at the clients that wait."""

    def __init__(self) -> None:
        self._items: dict[Client, deque[Item]] = {}
        self._turns: deque[Client] = deque()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def push(self, client: Client, item: Item) -> None:
        """Append `item` to the queue of `client`."""
        items = self._items.get(client)
        if items is None:
            items = self._items[client] = deque()
            self._turns.append(client)
        items.append(item)
        self._length += 1

    def peek(self) -> Item:
        """The item that pop() would return; IndexError if there is none."""
        return self._items[self._turns[0]][0]

    def pop(self) -> Item:
        """The next item; IndexError if there is none."""
        client = self._turns.popleft()
        items = self._items[client]
        item = items.popleft()
        if items:
            self._turns.append(client)
        else:
            del self._items[client]
        self._length -= 1
        return item

    def remove(self, client: Client, item: Item) -> bool:
        """Take `item` out of the queue of `client`; False if it is not there any more."""
        items = self._items.get(client)
        if items is None or item not in items:
            return False
        items.remove(item)
        self._length -= 1
        if not items:
            del self._items[client]
            self._turns.remove(client)
        return True

    def drop(self, client: Client) -> list[Item]:
        """Take out and return everything that `client` has in the queue."""
        items = self._items.pop(client, None)
        if items is None:
            return []
        self._turns.remove(client)
        self._length -= len(items)
        return list(items)
