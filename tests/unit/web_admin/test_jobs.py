"""Jobs of the web admin: begun once, bounded, forgotten after a while."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.waiting import wait_until
from zato.core.errors import ServerNotRunning
from zato.web_admin.door import Address, Door, Person
from zato.web_admin.jobs import KEPT, MOST_KEPT, MOST_RUNNING, Busy, Job, Jobs, Wanted

WANTED = Wanted(
    deed="replay",
    asked={},
    statuses=("failed",),
    again=False,
    person=Person("token", "127.0.0.1"),
    user="ada",
    link="/invocations/-/all?do=replay",
)


def nowhere() -> Address:
    """Say that there is no server."""
    raise ServerNotRunning("The server of /srv/shop does not run.")


@contextmanager
def slow_door() -> Iterator[Door]:
    """A door that looks for its server until the context ends, and then finds none."""
    found = threading.Event()

    def locate() -> Address:
        found.wait()
        return nowhere()

    try:
        yield Door(locate)
    finally:
        found.set()


def ended(jobs: Jobs, key: str) -> Job:
    """Begin a job that finds no server, and return it when it has ended."""
    job = jobs.begin(key, WANTED, Door(nowhere))
    wait_until(lambda: job.ended is not None, what="the end of a job")
    return job


def test_job_without_a_server_says_so_and_can_be_begun_again() -> None:
    """It ends, and its message has the reason and what to do next."""
    job = ended(Jobs(), "a")
    assert job.why == "The server of /srv/shop does not run. Begin it again for the rest."
    assert (job.total, job.done) == (None, 0)


def test_same_form_sent_twice_begins_one_job() -> None:
    """The second one is led to the first, even if that has ended."""
    jobs = Jobs()
    assert ended(jobs, "a") is jobs.begin("a", WANTED, Door(nowhere))


def test_no_more_jobs_run_at_once_than_may() -> None:
    """Whoever wants one more is asked to wait, and may begin when another has ended."""
    jobs = Jobs()
    with slow_door() as door:
        running = [jobs.begin(str(number), WANTED, door) for number in range(MOST_RUNNING)]
        with pytest.raises(Busy, match=r"4 such jobs run by now\. Wait until one has ended, or stop it\."):
            jobs.begin("one more", WANTED, door)
    wait_until(lambda: all(job.ended is not None for job in running), what="the end of all jobs")
    assert ended(jobs, "one more").why


def test_job_that_has_ended_is_kept_for_an_hour() -> None:
    """Then it is gone; one that runs is kept for as long as it does."""
    now = [0.0]
    jobs = Jobs(clock=lambda: now[0])
    with slow_door() as door:
        running = jobs.begin("running", WANTED, door)
        over = ended(jobs, "over")
        assert over.ended is not None
        now[0] = over.ended + KEPT
        assert jobs.get("over") is over
        now[0] += 1
        assert (jobs.get("over"), jobs.get("running")) == (None, running)
    wait_until(lambda: running.ended is not None, what="the end of the job")


def test_only_so_many_jobs_are_kept() -> None:
    """The one that ended first goes first."""
    jobs = Jobs()
    kept = [ended(jobs, str(number)) for number in range(MOST_KEPT + 1)]
    assert jobs.get("0") is None
    assert jobs.get(str(MOST_KEPT)) is kept[-1]
