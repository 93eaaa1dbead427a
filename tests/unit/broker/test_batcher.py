"""One thread writes what all others ask for."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.support.waiting import wait_until
from tests.unit.broker.backends import ScriptedBackend
from zato.broker.base import Applied, Look, Operation
from zato.broker.batcher import MAX_BATCH, Batcher
from zato.core.errors import BrokerUnavailable, Conflict

FIRST: Operation[Any] = Look(id="first")
SECOND: Operation[Any] = Look(id="second")
THIRD: Operation[Any] = Look(id="third")


class Desk:
    """A batcher, its backend and its event loop, and what came back on that loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.backend = ScriptedBackend()
        self.loop = loop
        self.batcher = Batcher(self.backend, loop)
        self.heard: list[object] = []
        self.errors: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: self.errors.append(context))

    def post(self, *operations: Operation[Any]) -> None:
        for operation in operations:
            self.batcher.post(operation, self.heard.append)

    def listen(self) -> None:
        self.batcher.on_ready = lambda: self.heard.append("ready")
        self.batcher.on_ended = lambda ids: self.heard.append(("ended", *ids))

    def run(self, coroutine: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, 10))

    def run_until(self, count: int) -> list[object]:
        """Run the event loop until so much was heard, and return it."""

        async def heard() -> None:
            while len(self.heard) < count:  # noqa: ASYNC110 -- results come in ways that no event joins
                await asyncio.sleep(0.001)

        self.run(heard())
        return self.heard

    def fill_one_batch(self, *operations: Operation[Any]) -> None:
        """Post operations while the backend is busy with one that nobody listens to."""
        self.backend.block()
        self.batcher.post(FIRST, _nobody)
        self.backend.wait_entered()
        self.post(*operations)
        self.backend.unblock()


def _nobody(_: object) -> None:
    """Listen to nothing."""


def _stumble(_: object) -> None:
    raise LookupError("a call-back with a fault")


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A batcher at work."""
    loop = asyncio.new_event_loop()
    desk = Desk(loop)
    desk.batcher.start()
    yield desk
    desk.backend.unblock()
    desk.batcher.close()
    loop.close()


def _refuse(error: BaseException) -> Callable[[Sequence[Operation[Any]]], Applied]:
    def answer(_: Sequence[Operation[Any]]) -> Applied:
        raise error

    return answer


def _refuse_each(error: Exception) -> Callable[[Sequence[Operation[Any]]], Applied]:
    return lambda batch: Applied(results=[error] * len(batch))


def test_a_coroutine_gets_its_result(desk: Desk) -> None:
    """`ask` returns what the backend returned for this operation."""
    assert desk.run(desk.batcher.ask(FIRST)) is FIRST


def test_a_thread_gets_its_result(desk: Desk) -> None:
    """`wait` returns it too, and needs no event loop that runs."""
    assert desk.batcher.wait(FIRST) is FIRST


def test_a_listener_is_called_on_the_event_loop(desk: Desk) -> None:
    """What `post` is given runs where everything else of the server runs."""
    threads: list[threading.Thread] = []
    desk.batcher.post(FIRST, lambda _: threads.append(threading.current_thread()))
    desk.run(desk.batcher.ask(SECOND))

    assert threads == [threading.current_thread()]


def test_a_lone_operation_is_written_at_once(desk: Desk) -> None:
    """No timer stands in front of a batch."""
    desk.batcher.wait(FIRST)
    desk.batcher.wait(SECOND)

    assert desk.backend.batches == [[FIRST], [SECOND]]


def test_what_arrives_while_a_batch_is_written_is_the_next_one(desk: Desk) -> None:
    """Operations gather behind a slow write, and are written together, in the order of their arrival."""
    desk.fill_one_batch(SECOND, THIRD)

    assert desk.run_until(2) == [SECOND, THIRD]
    assert desk.backend.batches == [[FIRST], [SECOND, THIRD]]


def test_a_batch_is_no_longer_than_is_good(desk: Desk) -> None:
    """More than fits into one batch is written in several, with nothing lost and nothing out of order."""
    operations = [Look(id=str(number)) for number in range(MAX_BATCH + 1)]
    desk.fill_one_batch(*operations)

    assert desk.run_until(len(operations)) == operations
    assert [len(batch) for batch in desk.backend.batches] == [1, MAX_BATCH, 1]


def test_threads_and_listeners_share_a_batch(desk: Desk) -> None:
    """Each gets its own result, whoever else is in the batch."""
    results: list[object] = []
    desk.backend.block()
    desk.batcher.post(FIRST, _nobody)
    desk.backend.wait_entered()
    thread = threading.Thread(target=lambda: results.append(desk.batcher.wait(SECOND)))
    thread.start()
    desk.post(THIRD)
    desk.backend.unblock()
    thread.join()

    assert (results, desk.run_until(1)) == ([SECOND], [THIRD])


def test_many_threads_get_their_own_results(desk: Desk) -> None:
    """Results do not get mixed up under load."""
    wrong: list[object] = []

    def work(name: int) -> None:
        operations: list[Operation[Any]] = [Look(id=f"{name}-{number}") for number in range(200)]
        wrong.extend(operation for operation in operations if desk.batcher.wait(operation) is not operation)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (wrong, sum(map(len, desk.backend.batches))) == ([], 1600)


def test_listeners_are_told_once_a_batch_and_after_the_results(desk: Desk) -> None:
    """However many operations made something ready or ended it, workers and waiters hear of it once."""
    desk.listen()
    desk.backend.answer = lambda batch: Applied(results=list(batch), ready=True, ended=["x", "y"][: len(batch)])
    desk.fill_one_batch(SECOND, THIRD)

    assert desk.run_until(6) == [("ended", "x"), "ready", SECOND, THIRD, ("ended", "x", "y"), "ready"]


def test_listeners_are_not_told_of_nothing(desk: Desk) -> None:
    """A batch that made nothing ready and ended nothing wakes nobody."""
    desk.listen()
    desk.post(FIRST, SECOND)

    assert desk.run_until(2) == [FIRST, SECOND]


def test_listeners_hear_of_what_threads_asked_for(desk: Desk) -> None:
    """A batch with no result for the event loop still tells what became ready."""
    desk.listen()
    desk.backend.answer = lambda batch: Applied(results=list(batch), ready=True)
    desk.batcher.wait(FIRST)

    assert desk.run_until(1) == ["ready"]


def test_other_processes_can_be_told_of_each_batch(desk: Desk) -> None:
    """Whoever tells them does so on the store thread, once a batch, after the results were handed back."""
    told: list[tuple[str, object]] = []
    desk.batcher.on_applied = lambda applied: told.append((threading.current_thread().name, applied.ended))
    desk.backend.answer = lambda batch: Applied(results=list(batch), ended=["x"])
    desk.fill_one_batch(SECOND, THIRD)
    desk.run_until(2)
    desk.batcher.close()

    assert told == [("zato-store", ["x"])] * 2


# Of three full batches the first lone operation may or may not have arrived before the last one ends.
@pytest.mark.parametrize(("shares", "pauses"), [(True, {2, 3}), (False, {0})], ids=["beside-others", "alone"])
def test_pause_between_batches_is_for_others(monkeypatch: pytest.MonkeyPatch, shares: bool, pauses: set[int]) -> None:
    """Beside other processes a busy store thread gives them their turn; after a lone operation it does not."""
    taken: list[float] = []
    monkeypatch.setattr("zato.broker.batcher.time.sleep", taken.append)
    loop = asyncio.new_event_loop()
    batcher = Batcher(ScriptedBackend(), loop, shares=shares)
    for _ in range(3 * MAX_BATCH):
        batcher.post(FIRST, _nobody)
    batcher.start()
    for _ in range(10):
        batcher.wait(FIRST)
    batcher.close()
    loop.close()

    assert len(taken) in pauses


def test_nobody_has_to_listen(desk: Desk) -> None:
    """Results come back where no listener was set."""
    desk.backend.answer = lambda batch: Applied(results=list(batch), ready=True, ended=["x"])

    assert desk.run(desk.batcher.ask(FIRST)) is FIRST
    assert desk.errors == []


@pytest.mark.parametrize("way", ["ask", "wait"])
def test_a_refused_operation_raises(desk: Desk, way: str) -> None:
    """The error a backend gives for one operation is raised to whoever asked."""
    desk.backend.answer = _refuse_each(Conflict("used before"))

    with pytest.raises(Conflict, match="used before"):
        desk.run(desk.batcher.ask(FIRST)) if way == "ask" else desk.batcher.wait(FIRST)


def test_a_listener_is_given_the_refusal(desk: Desk) -> None:
    """`post` hands over an error as it hands over a result."""
    refusal = Conflict("used before")
    desk.backend.answer = _refuse_each(refusal)
    desk.post(FIRST)

    assert desk.run_until(1) == [refusal]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(BrokerUnavailable("The disk is full."), "The disk is full.", id="unavailable"),
        pytest.param(ValueError("odd"), "The broker failed: ValueError: odd", id="unexpected"),
        pytest.param(SystemExit(3), "The broker failed: SystemExit: 3", id="exit"),
    ],
)
def test_a_failing_backend_refuses_the_whole_batch(desk: Desk, error: BaseException, message: str) -> None:
    """Everybody in the batch learns that nothing was stored, and why."""
    desk.backend.answer = _refuse(error)
    desk.fill_one_batch(SECOND, THIRD)

    refusals = desk.run_until(2)

    assert [type(refusal) for refusal in refusals] == [BrokerUnavailable] * 2
    assert [str(refusal) for refusal in refusals] == [message] * 2


def test_the_thread_outlives_a_failing_backend(desk: Desk) -> None:
    """Once the store is back, operations are carried out again."""
    works, desk.backend.answer = desk.backend.answer, _refuse(MemoryError())
    with pytest.raises(BrokerUnavailable) as caught:
        desk.batcher.wait(FIRST)
    desk.backend.answer = works

    assert desk.batcher.wait(SECOND) is SECOND
    assert isinstance(caught.value.__cause__, MemoryError)


def test_a_failing_listener_keeps_nobody_from_their_results(desk: Desk) -> None:
    """Its error is reported to the event loop, and the others are called."""
    desk.listen()
    desk.backend.answer = lambda batch: Applied(results=list(batch), ready=True, ended=["x"])
    desk.batcher.on_ended = _stumble
    desk.batcher.post(FIRST, _stumble)
    desk.post(SECOND)

    assert desk.run_until(2)[0] in {SECOND, "ready"}
    desk.run(desk.batcher.ask(THIRD))
    assert SECOND in desk.heard
    assert {type(context["exception"]) for context in desk.errors} == {LookupError}


def test_an_asker_that_left_is_not_missed(desk: Desk) -> None:
    """A cancelled coroutine's operation is carried out all the same, and its result dropped."""

    async def ask_and_leave() -> bool:
        desk.backend.block()
        task = asyncio.ensure_future(desk.batcher.ask(FIRST))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        desk.backend.unblock()
        return task.cancelled()

    assert desk.run(ask_and_leave())
    assert desk.run(desk.batcher.ask(SECOND)) is SECOND
    assert (desk.backend.batches[0][0], desk.errors) == (FIRST, [])


def test_closing_answers_what_has_arrived(desk: Desk) -> None:
    """Nobody who was let in is left without a result, and the backend is closed after the last one."""
    desk.fill_one_batch(SECOND, THIRD)
    desk.batcher.close()

    assert desk.run_until(2) == [SECOND, THIRD]
    assert desk.backend.closed == 1


def test_closing_while_a_batch_gathers_answers_it(desk: Desk) -> None:
    """What arrived before the door closed is written, even if the write before it is still going on."""
    desk.backend.block()
    desk.batcher.post(FIRST, _nobody)
    desk.backend.wait_entered()
    desk.post(SECOND)
    closer = threading.Thread(target=desk.batcher.close)
    closer.start()
    wait_until(lambda: _refuses(desk), what="a closed door")
    late: Operation[Any] = Look(id="too-late")
    desk.post(late)
    desk.backend.unblock()
    closer.join()

    assert SECOND in desk.run_until(2)
    assert late not in [operation for batch in desk.backend.batches for operation in batch]
    assert desk.backend.closed == 1


def test_closing_twice_is_closing_once(desk: Desk) -> None:
    """The second close finds nothing to do."""
    desk.batcher.close()
    desk.batcher.close()

    assert desk.backend.closed == 1


def test_closed_means_refused(desk: Desk) -> None:
    """Whoever comes too late learns at once that nothing is stored, whichever way they ask."""
    desk.batcher.close()
    desk.post(FIRST)

    with pytest.raises(BrokerUnavailable, match="the server is stopping"):
        desk.run(desk.batcher.ask(SECOND))
    with pytest.raises(BrokerUnavailable, match="the server is stopping"):
        desk.batcher.wait(THIRD)
    assert [type(result) for result in desk.run_until(1)] == [BrokerUnavailable]
    assert desk.backend.batches == []


def test_a_closed_event_loop_does_not_stop_the_thread(desk: Desk) -> None:
    """When nobody is left to hear results, what was asked is still written, and threads get theirs."""
    desk.backend.block()
    desk.post(FIRST)
    desk.backend.wait_entered()
    desk.loop.close()
    desk.backend.unblock()

    assert desk.batcher.wait(SECOND) is SECOND
    assert desk.heard == []


def _refuses(desk: Desk) -> bool:
    """Tell whether the door is closed, which can only be learnt by knocking."""
    answers: list[object] = []
    desk.batcher.post(THIRD, answers.append)
    desk.run(asyncio.sleep(0))
    return bool(answers)
