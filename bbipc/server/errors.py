"""Errors of the server."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot be carried out; the message goes to the client."""


class StartError(Exception):
    """The server cannot start; the message tells what to change."""
