"""Durable hand-over: what keeps accepted invocations until they have an outcome."""
