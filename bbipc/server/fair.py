"""Queues that serve clients in turn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
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


def group_of(client: object) -> Hashable:
    """The clients with which `client` shares its turns, by its attribute `group`: connections of one process; or itself."""
    group: Hashable = getattr(client, "group", client)
    return group


class GroupedQueue(Generic[Client, Item]):
    """A queue that serves *groups* of clients in turn, and the clients of each in turn: who connects often has no more turns.
    Otherwise as :class:`FairQueue`, whose operations take as long.

    Args:
        group_of: the group of a client.
    """

    def __init__(self, group_of: Callable[[Client], Hashable] = group_of) -> None:
        self._group_of = group_of
        self._groups: OrderedDict[Hashable, FairQueue[Client, Item]] = OrderedDict()  # in the order of their turns
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def groups(self) -> Iterator[FairQueue[Client, Item]]:
        """The queue of each group that has something, in the order of their turns."""
        return iter(self._groups.values())

    def clients(self) -> Iterator[Client]:
        """Those that have something in the queue, by groups; the first one is whose turn it is."""
        return (client for queue in self._groups.values() for client in queue.clients())

    def push(self, client: Client, item: Item) -> None:
        """Append `item` to the queue of `client`."""
        self._groups.setdefault(self._group_of(client), FairQueue()).push(client, item)
        self._length += 1

    def put_back(self, client: Client, item: Item) -> None:
        """Make `item`, which was taken out, the next of `client` again; it is the others' turn first."""
        group = self._group_of(client)
        self._groups.setdefault(group, FairQueue()).put_back(client, item)
        self._groups.move_to_end(group)
        self._length += 1

    def peek(self, client: Client | None = None) -> Item:
        """The item that pop() would return; IndexError if there is none."""
        if not self._groups:
            raise IndexError("the queue is empty")
        return self._groups[self._group(client)].peek(client)

    def pop(self, client: Client | None = None) -> Item:
        """The next item, or the next one of `client`, whose turn this was; IndexError if there is none."""
        if not self._groups:
            raise IndexError("the queue is empty")
        group = self._group(client)
        item = self._groups[group].pop(client)
        self._length -= 1
        if self._groups[group]:
            self._groups.move_to_end(group)
        else:
            del self._groups[group]
        return item

    def _group(self, client: Client | None) -> Hashable:
        return next(iter(self._groups)) if client is None else self._group_of(client)

    def end_turn(self, client: Client) -> None:
        """Let the others have their turns before `client`, which leaves something in the queue."""
        group = self._group_of(client)
        self._groups[group].end_turn(client)
        self._groups.move_to_end(group)

    def remove(self, client: Client, item: Item) -> bool:
        """Take `item` out of the queue of `client`; False if it is not there any more."""
        group = self._group_of(client)
        queue = self._groups.get(group)
        if queue is None or not queue.remove(client, item):
            return False
        self._length -= 1
        if not queue:
            del self._groups[group]
        return True

    def drop(self, client: Client) -> list[Item]:
        """Take out and return everything that `client` has in the queue."""
        group = self._group_of(client)
        queue = self._groups.get(group)
        if queue is None:
            return []
        items = queue.drop(client)
        self._length -= len(items)
        if not queue:
            del self._groups[group]
        return items
