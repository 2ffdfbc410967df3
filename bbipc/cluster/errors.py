"""What can go wrong with a cluster."""

__all__ = ["ClusterError", "ClusterLostError"]


class ClusterError(Exception):
    """A cluster cannot be used; the message is one line and says what to do."""


class ClusterLostError(ClusterError):
    """The scheduler went away while units were under way. Verdicts that were given stay true; the rest is unknown."""
