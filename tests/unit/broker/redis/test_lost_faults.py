"""Faults in what scripts do when they are asked once more, and in what a new connection puts right: each is noticed."""

import gc
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.script_faults import ScriptFault
from tests.unit.broker.redis import test_away, test_lost_answers, test_parked, test_refusals

Test = Callable[..., None]
AGAIN = "AGAIN and "
IN_VAIN = test_lost_answers.test_what_was_leased_in_vain_is_leased_again_at_once
REFUSED = test_lost_answers.test_a_call_that_was_refused_does_not_run
FREE = test_lost_answers.test_what_nobody_knows_to_hold_is_free_at_once

FAULTS: tuple[tuple[ScriptFault, Test, dict[str, Any]], ...] = (
    (
        ScriptFault("a call is stored twice", "accept", "if number_of(call[ID]) then", "if false then"),
        test_lost_answers.test_a_call_is_stored_once,
        {"lose": "lose_answers"},
    ),
    (
        ScriptFault(
            "an outcome that was recorded is none", "finish", f"local data = {AGAIN}", "local data = false and "
        ),
        test_lost_answers.test_an_outcome_is_recorded_once,
        {"lose": "lose_answers"},
    ),
    (
        ScriptFault("what was given back was not", "give_back", f"return {AGAIN}", "return false and "),
        test_lost_answers.test_what_is_given_back_is_given_back_once,
        {"lose": "lose_answers", "how": "release"},
    ),
    (
        ScriptFault("what was cancelled was not", "cancel", f"recorded = {AGAIN}", "recorded = false and "),
        test_lost_answers.test_a_cancellation_is_told_to_who_asked,
        {"lose": "lose_answers"},
    ),
    (
        ScriptFault("a lock is lost to itself", "lock", "is_mine and AGAIN", "false"),
        test_lost_answers.test_a_lock_is_taken_by_who_asked,
        {"lose": "lose_answers"},
    ),
    (
        ScriptFault("leases of nobody stay", "mend", "wanted[state[1]] and ", "false and "),
        IN_VAIN,
        {"lose": "lose_answers"},
    ),
    (
        ScriptFault("all leases are of nobody", "mend", "wanted[state[1]] and ", "state[1] and "),
        test_lost_answers.test_what_others_lease_is_left_alone,
        {},
    ),
    (
        ScriptFault("leases of nobody expire no more", "mend", "      redis.call('ZADD', P .. 'exp', state[4], id)\n"),
        test_lost_answers.test_what_was_leased_in_vain_expires_as_before,
        {},
    ),
    (ScriptFault("leases of nobody take up room", "mend", "if state[5] then", "if false then"), FREE, {"limit": 1}),
    (
        ScriptFault("leases of nobody are not ready", "mend", "    make_ready(call, number_of(id))\n"),
        FREE,
        {"limit": None},
    ),
    (
        ScriptFault("calls that were refused stay", "mend", "not state[1] and not state[2]", "false"),
        REFUSED,
        {"lose": "lose_answers"},
    ),
    (
        ScriptFault("calls that were refused are still offered", "mend", "    withdraw(call, state[3])\n"),
        REFUSED,
        {"lose": "lose_answers"},
    ),
    (
        ScriptFault("calls that run are taken away", "mend", "not state[1] and not state[2]", "true"),
        test_lost_answers.test_a_call_that_was_refused_and_runs_goes_on,
        {},
    ),
    (
        ScriptFault("a new connection takes services away", "announce", "how == REPLACING", "how ~= 1"),
        test_lost_answers.test_a_new_connection_takes_nothing_back,
        {},
    ),
    (
        ScriptFault("a new connection brings old terms back", "announce", "if how == REPEATING then", "if false then"),
        test_lost_answers.test_a_new_connection_takes_nothing_back,
        {},
    ),
    (
        ScriptFault(
            "a new connection brings old lanes back", "announce", "not (how == REPEATING and before[service])", "true"
        ),
        test_lost_answers.test_a_new_connection_takes_nothing_back,
        {},
    ),
    (
        ScriptFault("what is newer is run", "lease", "call[VERSION] > KNOWN_VERSION", "false"),
        test_parked.test_what_is_newer_is_left_alone,
        {},
    ),
    (
        ScriptFault("what was left alone stays so", "lease", "'parked', '-inf', KNOWN_VERSION", "'parked', '-inf', 0"),
        test_parked.test_who_reads_it_runs_it,
        {},
    ),
    (
        ScriptFault("one lease looks at everything", "lease", "in_vain = in_vain + 1", "in_vain = 0"),
        test_parked.test_a_lease_that_found_nothing_it_can_read_asks_again_at_once,
        {},
    ),
    (
        ScriptFault(
            "nobody is told what is left alone",
            "begin",
            "redis.call('ZCOUNT', P .. 'parked', '(' .. KNOWN_VERSION, '+inf')",
            "0",
        ),
        test_parked.test_what_was_left_alone_is_told_of_at_the_start,
        {},
    ),
    (
        ScriptFault("a key of another program is taken over", "begin", "found[1] ~= 'zato' or ", ""),
        test_refusals.test_a_name_of_ours_is_somebody_elses,
        {"commands": [("HSET", "program", "other"), ("HSET", "format", "1")], "kind": "hash"},
    ),
    (
        ScriptFault("a full redis hands out nothing", "model", "  redis.call('ZREM', P .. 'parked', '')\n"),
        test_refusals.test_a_full_redis_takes_no_calls_and_lets_servers_work,
        {},
    ),
    (
        ScriptFault(
            "numbers begin anew with each batch",
            "model",
            "    redis.call('SET', P .. 'seq', string.format('%.0f', last_number))\n",
        ),
        test_away.test_calls_of_several_batches_come_in_their_order,
        {},
    ),
)


# A test that fails leaves open what it has opened, and that is found when it is collected.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.no_cover
@pytest.mark.parametrize(("fault", "test", "case"), FAULTS, ids=[fault.name for fault, _, _ in FAULTS])
def test_fault_is_noticed(fault: ScriptFault, test: Test, case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    """By the test that stands with it."""
    with fault.put_in():
        given = {name: request.getfixturevalue(name) for name in inspect.signature(test).parameters if name not in case}
        with pytest.raises((Exception, pytest.fail.Exception)):
            test(**given, **case)
    gc.collect()
