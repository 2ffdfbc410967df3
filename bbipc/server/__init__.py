"""The server: transports, connections and the scheduling of work, on Trio."""
