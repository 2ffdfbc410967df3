"""What the fork server of local clusters imports first, and nobody else. `bbipc.cluster.fork_server` is the last.

From here on it, and all workers, ignore Ctrl-C: a terminal sends it to every process of the command, and the client alone
decides what becomes of it. And nothing is collected until all is imported.
"""

import gc
import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # `start_fork_server` blocked it until here
gc.disable()
