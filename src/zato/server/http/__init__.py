"""The HTTP doors: who may come in, where to, and how every answer looks."""
