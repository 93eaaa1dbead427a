from pathlib import Path

import pytest


@pytest.fixture
def reminders(zato):
    zato.deploy(Path(__file__).parents[1] / "reminders.py")
    zato.user_config["reminders"] = {"hours": 24}
    return zato


def test_mail_goes_out_after_a_day(reminders):
    reminders.replace("mail.send", None)
    cid = reminders.invoke("reminders.remind", {"mail": "ada@example.com"}).data

    reminders.clock.turn(24 * 3600 - 1)
    assert reminders.run_background() == []

    reminders.clock.turn(1)
    [sent] = reminders.run_background()
    assert sent.cid == cid
    assert reminders.calls("mail.send")[0].payload["to"] == "ada@example.com"


def test_mail_is_tried_three_times(reminders):
    reminders.replace("mail.send", ConnectionError("no route to host"))
    cid = reminders.invoke("reminders.remind", {"mail": "ada@example.com"}).data

    reminders.run_background(delayed=True)

    call = reminders.result(cid)
    assert (call.status, call.attempts, call.details) == ("failed", 3, "no route to host")
