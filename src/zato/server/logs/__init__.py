"""Logs: what a line is made of, how it looks, and the threads that write it. `zato.server.logs.root` begins it all."""
