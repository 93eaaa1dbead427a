"""What can happen to queues, limits, locks, and calls that are accepted together: rules of the state machine."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.contract.wishes import ANNOUNCED, HOLD, HOLDER, SECONDS, SERVER, TERMS, WISHES
from zato.broker.base import AcceptAll, Announce, Operation
from zato.broker.cluster import Known, Lock, Pause, Unlock
from zato.core.invocation import Holder, Invocation, Lane, Terms

__all__ = ["QUEUES", "QueueRules"]

QUEUES = ("default", "mail")
NAMES = st.sampled_from(("invoices", "mails"))
TOKENS = st.sampled_from((b"token--1", b"token--2"))
KEYS = st.sampled_from((None, None, None, "k1", "k2"))

Item = TypeVar("Item")


class QueueRules(RuleBasedStateMachine):
    """Rules beside those of `BrokerMachine`, in the words of which they are made."""

    @abstractmethod
    def ask(self, operation: Operation[Item], *, hold_back: bool = False) -> Item:
        """Have the model and the backend carry out an operation."""

    @abstractmethod
    def make_call(self, wish: Mapping[str, Any], **fields: Any) -> Invocation:
        """Return the call that was wished for, now."""

    @rule(wishes=st.lists(st.tuples(WISHES, KEYS), max_size=4), hold_back=HOLD)
    def accept_all(self, wishes: list[tuple[dict[str, Any], str | None]], hold_back: bool) -> None:
        """Somebody calls many at once; some of them were perhaps called before."""
        calls = tuple(self.make_call(wish, idempotency_key=key) for wish, key in wishes)
        self.ask(AcceptAll(calls), hold_back=hold_back)

    @rule(queue=st.sampled_from(QUEUES), paused=st.booleans(), hold_back=HOLD)
    def pause(self, queue: str, paused: bool, hold_back: bool) -> None:
        """A queue is paused, or goes on, perhaps once more."""
        self.ask(Pause(queue, paused), hold_back=hold_back)

    @rule(services=st.sampled_from(ANNOUNCED), terms=TERMS, only_add=st.booleans(), hold_back=HOLD)
    def announce(
        self, services: Mapping[str, Lane], terms: Mapping[str, Terms], only_add: bool, hold_back: bool
    ) -> None:
        """Other services are deployed, or the same ones, in place of what was or beside it."""
        self.ask(Announce(services, only_add, terms, SERVER), hold_back=hold_back)
        self.ask(Known(("crm.sync", "ui.push", "never was")), hold_back=hold_back)

    @rule(name=NAMES, token=TOKENS, seconds=SECONDS, holder=st.one_of(st.none(), HOLDER), hold_back=HOLD)
    def lock(self, name: str, token: bytes, seconds: float, holder: Holder | None, hold_back: bool) -> None:
        """A service takes a lock that perhaps another one holds."""
        self.ask(Lock(name, token, seconds, holder), hold_back=hold_back)

    @rule(name=NAMES, token=TOKENS, hold_back=HOLD)
    def unlock(self, name: str, token: bytes, hold_back: bool) -> None:
        """A service gives back a lock that perhaps it has no more, or never had."""
        self.ask(Unlock(name, token), hold_back=hold_back)
