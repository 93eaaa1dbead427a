"""The rules: names, payloads, envelopes, outcomes. No files, sockets, threads, clocks or chance."""
