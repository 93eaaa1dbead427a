"""A client of redis-py for what services keep in the broker's Redis, apart from the connections of the broker."""

import redis

from zato.broker.open import Location
from zato.broker.redis.connection import pool_of

__all__ = ["client_of"]

# Seconds. Longer than the broker's: services may wait in Redis, with BLPOP for instance.
ANSWERS_WITHIN = 30.0


def client_of(location: Location) -> "redis.Redis":
    """Return a client with connections of its own, made when they are needed. Texts come back as texts."""
    pool, _ = pool_of(location, socket_timeout=ANSWERS_WITHIN, decode_responses=True, client_name="zato-services")
    return redis.Redis(connection_pool=pool)
