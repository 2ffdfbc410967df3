"""Reference strings that a client hands over, see :mod:`bbipc.server.srs`."""

from __future__ import annotations

from bbipc.server.srs import check_bn254, check_grumpkin
from bbipc.server.steps import Steps
from bbipc.wire.values import Fields


def init_bn254(fields: Fields, *, threads: int) -> Steps[Fields]:
    """``SrsInitSrs``."""
    points = yield from check_bn254(fields["points_buf"], fields["num_points"], fields["g2_point"], threads)
    return {"points_buf": points}


def init_grumpkin(fields: Fields, *, threads: int) -> Steps[Fields]:
    """``SrsInitGrumpkinSrs``."""
    yield from check_grumpkin(fields["points_buf"], fields["num_points"], threads)
    return {"dummy": 0}
