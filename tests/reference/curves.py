"""The curves of chapter 01 in plain Python integers: slow, short, and sharing nothing with csrc/."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Q = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
R = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001

Point = tuple[int, int] | None  # None is infinity


@dataclass(frozen=True)
class Curve:
    """y^2 = x^3 + b over the integers modulo p; the group has `order` elements."""

    p: int
    b: int
    order: int
    generator: tuple[int, int]

    def is_on_curve(self, point: Point) -> bool:
        return point is None or (point[1] ** 2 - point[0] ** 3 - self.b) % self.p == 0

    def neg(self, point: Point) -> Point:
        return None if point is None else (point[0], -point[1] % self.p)

    def add(self, a: Point, b: Point) -> Point:
        if a is None:
            return b
        if b is None:
            return a
        if a[0] == b[0] and (a[1] + b[1]) % self.p == 0:
            return None
        rise, run = (3 * a[0] * a[0], 2 * a[1]) if a == b else (b[1] - a[1], b[0] - a[0])
        slope = rise * pow(run, -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def mul(self, scalar: int, point: Point) -> Point:
        result: Point = None
        for bit in bin(scalar)[2:]:
            result = self.add(result, result)
            if bit == "1":
                result = self.add(result, point)
        return result

    def sum(self, points: Iterable[Point]) -> Point:
        total: Point = None
        for point in points:
            total = self.add(total, point)
        return total


G1 = Curve(Q, 3, R, (1, 2))
GRUMPKIN = Curve(R, -17, Q, (1, 0x0000000000000002CF135E7506A45D632D270D45F1181294833FC48D823F272C))


def to_bytes(point: Point) -> bytes:
    return bytes(64) if point is None else point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def from_bytes(data: bytes) -> Point:
    return None if data == bytes(64) else (int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big"))
