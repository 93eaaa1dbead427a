"""Whatever happens, and in whatever order: a backend does what the words of `zato.broker.base` say.

Few stories are told here; with `STORIES=3000` in the environment it is that many.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.machine import machine_of
from tests.contract.stores import STORES

STORIES = int(os.environ.get("STORIES", "25"))
STEPS = 50


# To make a story short that went wrong takes longer than to find it.
@pytest.mark.timeout(400 + STORIES)
# What it runs is measured in the other tests of the contract, and would take twice as long.
@pytest.mark.no_cover
@pytest.mark.parametrize("kind", sorted(STORES))
def test_every_story_goes_as_the_model_says(kind: str, memory_path: Path) -> None:
    """Statuses, counts, leases, lists and outcomes are those of the model, after every step."""
    told = settings(max_examples=STORIES, stateful_step_count=STEPS, deadline=None, report_multiple_bugs=False)
    run_state_machine_as_test(machine_of(STORES[kind](memory_path)), settings=told)
