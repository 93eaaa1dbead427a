"""Calls that only a newer version of zato can read: they are left alone, and people are told."""

import logging

__all__ = ["Parked"]

logger = logging.getLogger("zato.server")


class Parked:
    """How many such calls there are in a cluster, and how many of them were told of."""

    def __init__(self, cluster: str) -> None:
        """Take the cluster. Nothing is known of it yet."""
        self._cluster = cluster
        self._count = 0
        self._next = 1

    def tell(self, count: int) -> None:
        """Take that so many more were met, and say so; later ones are told of when they are twice as many."""
        self._count += count
        if self._count >= self._next:
            self._next = 2 * self._count
            logger.warning(
                "Calls left alone, because a newer version of zato has stored them: %d. Start a server of that version "
                "in cluster %r: it runs them",
                self._count,
                self._cluster,
            )
