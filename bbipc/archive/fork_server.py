"""What the fork server of local clusters imports first, and nobody else: from here on it, and all workers, ignore Ctrl-C.

A terminal sends Ctrl-C to every process of the command. The client alone decides what becomes of it.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # `start_fork_server` blocked it until here
