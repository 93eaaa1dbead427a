"""Effects: services, what deploys and runs them, and the doors they are reached through."""
