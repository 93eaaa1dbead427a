"""The web admin: pages over built-in services, which it reaches as any client does, through `AnyServiceInvoker`."""
