"""A queue that serves its clients in turn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Client = TypeVar("Client", bound=Hashable)
Item = TypeVar("Item", bound=Hashable)


class FairQueue(Generic[Client, Item]):
    """First in, first out for each client; one item of each client in turn. An item is in the queue once at most. All
    operations take constant time, except that drop() visits what the client has in the queue.

    They are linked lists with an index: a dict would look at the places of all that was taken out before its first item.
    """

    def __init__(self) -> None:
        self._items: OrderedDict[Client, OrderedDict[Item, None]] = OrderedDict()  # clients in the order of their turns
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def clients(self) -> Iterator[Client]:
        """Those that have something in the queue, in the order of their turns."""
        return iter(self._items)

    def count(self, client: Client) -> int:
        """How many items `client` has in the queue."""
        return len(self._items.get(client, ()))

    def push(self, client: Client, item: Item) -> None:
        """Append `item` to the queue of `client`."""
        items = self._items.get(client)
        if items is None:
            items = self._items[client] = OrderedDict()
        items[item] = None
        self._length += 1

    def put_back(self, client: Client, item: Item) -> None:
        """Make `item`, which was taken out, the next of `client` again; it is the others' turn first."""
        self.push(client, item)
        self._items[client].move_to_end(item, last=False)
        self._items.move_to_end(client)

    def peek(self, client: Client | None = None) -> Item:
        """The item that pop() would return; IndexError if there is none."""
        if not self._items:
            raise IndexError("the queue is empty")
        return next(iter(self._items[next(iter(self._items)) if client is None else client]))

    def pop(self, client: Client | None = None) -> Item:
        """The next item, or the next one of `client`, whose turn this was; IndexError if there is none."""
        item = self.peek(client)
        if client is None:
            client = next(iter(self._items))
        items = self._items[client]
        del items[item]
        if items:
            self._items.move_to_end(client)
        else:
            del self._items[client]
        self._length -= 1
        return item

    def end_turn(self, client: Client) -> None:
        """Let the others have their turns before `client`, which leaves something in the queue."""
        self._items.move_to_end(client)

    def remove(self, client: Client, item: Item) -> bool:
        """Take `item` out of the queue of `client`; False if it is not there any more."""
        items = self._items.get(client)
        if items is None or item not in items:
            return False
        del items[item]
        self._length -= 1
        if not items:
            del self._items[client]
        return True

    def drop(self, client: Client) -> list[Item]:
        """Take out and return everything that `client` has in the queue."""
        items = self._items.pop(client, None)
        if items is None:
            return []
        self._length -= len(items)
        return list(items)
