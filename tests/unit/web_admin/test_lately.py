"""Answers that may be some seconds old."""

from itertools import count

from zato.web_admin.lately import Lately


def test_answer_is_asked_for_anew_when_it_is_old() -> None:
    """Not before, and its age begins anew with it."""
    times, answers = iter([0, 9, 10, 10, 19, 20, 20]), count(1)
    lately = Lately(10, clock=lambda: next(times))
    assert [lately.get("running", lambda: next(answers)) for _ in range(5)] == [1, 1, 2, 2, 3]


def test_answer_is_asked_for_at_once_when_something_has_changed() -> None:
    """However young it is, and again when it changes back."""
    answers = count(1)
    lately = Lately(10, clock=lambda: 5)
    assert [lately.get(about, lambda: next(answers)) for about in ("running", "done", "done", "running")] == [
        1,
        2,
        2,
        3,
    ]


def test_question_that_fails_is_asked_again() -> None:
    """No answer of an earlier state takes its place."""
    lately = Lately(10, clock=lambda: 5)
    lately.get("running", lambda: 1)
    for _ in range(2):
        try:
            lately.get("done", lambda: 1 // 0)
        except ZeroDivisionError:
            continue
        raise AssertionError("an old answer was given")
