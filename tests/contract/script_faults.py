"""Faults in single lines of the scripts of a cluster, each of which somebody must notice.

Whoever stands with a fault notices it: a test of the contract, or the state machine. `test_script_faults.py` runs them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from unittest import mock

from tests.contract import (
    test_accept_all,
    test_broker,
    test_concurrency,
    test_find,
    test_lanes,
    test_locks,
    test_members,
    test_queues,
    test_records,
    test_servers,
)
from tests.contract.noticing import Test
from zato.broker.base import Announce, Finish, Lease, Operation, Postpone
from zato.broker.redis import questions, wire
from zato.broker.redis.scripts import Script, load_scripts

__all__ = ["FAULTS", "MisheardQuestion", "ScriptFault"]


@dataclass(frozen=True, slots=True)
class ScriptFault:
    """A script, made wrong by putting one text in the place of another.

    Attributes:
        name: what a cluster with this fault does wrong.
        script: the name of its file; `model` is a part of every script.
        seen_by: the test that notices it, or None if the state machine does.
    """

    name: str
    script: str
    right: str
    wrong: str = ""
    seen_by: Test | None = None

    @contextmanager
    def put_in(self) -> Iterator[None]:
        """Have every backend that is opened meanwhile use the wrong script."""
        wrong = self._load()
        with mock.patch.object(wire, "load_scripts", return_value=wrong):
            yield

    def _load(self) -> dict[str, Script]:
        scripts = load_scripts()
        names = scripts if self.script == "model" else (self.script,)
        for name in names:
            right = scripts[name].text
            assert right.count(self.right) == 1, f"{self.right!r} does not stand once in {self.script!r} any more."
            scripts[name] = Script.of(name, right.replace(self.right, self.wrong))
        return scripts


@dataclass(frozen=True, slots=True)
class MisheardQuestion:
    """One operation, asked of Redis as if something else had been asked.

    Attributes:
        name: what a cluster with this fault does wrong.
    """

    name: str
    operation: type[Operation[Any]]
    change: Callable[[Any], Any]
    seen_by: Test | None = None

    @contextmanager
    def put_in(self) -> Iterator[None]:
        """Have every backend mishear the operation."""
        right = questions.QUESTIONS[self.operation]
        with mock.patch.dict(questions.QUESTIONS, {self.operation: lambda asked: right(self.change(asked))}):
            yield


OF_MODEL = (
    ScriptFault(
        "what is accepted is not offered",
        "model",
        "put_together(additions, key('r', line), score, id)",
        "local _ = id",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "priorities do not count",
        "model",
        "call[PRIORITY] * 2 ^ 49",
        "5 * 2 ^ 49",
        seen_by=test_lanes.test_lower_priority_numbers_go_first,
    ),
    ScriptFault(
        "what came last goes first",
        "model",
        "2 ^ 49 + number",
        "2 ^ 49 - number",
        seen_by=test_broker.test_promise_4_reclaim_ends_the_leases_of_earlier_runs_at_once,
    ),
    ScriptFault(
        "a line begins with what came last",
        "model",
        "math.min(heads[line] or score, score)",
        "score",
        seen_by=test_lanes.test_first_accepted_is_first_leased,
    ),
    ScriptFault(
        "a line is there when it is empty",
        "model",
        "    redis.call('ZREM', P .. 'ne', line)\n",
        seen_by=test_queues.test_an_outcome_empties_a_queue,
    ),
    ScriptFault(
        "a delay is forgotten at once",
        "model",
        "call[NOT_BEFORE] ~= 0",
        "false",
        seen_by=test_broker.test_promise_6_delayed_means_not_before,
    ),
    ScriptFault(
        "an expiry is forgotten at once",
        "model",
        "call[EXPIRES] ~= 0",
        "false",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "an expiry is known to nobody but time",
        "model",
        "    redis.call('HSET', key('i', id), 'e', call[EXPIRES] + skew)\n",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "what is delayed is not counted",
        "model",
        "'delayed', line_of(call), 1)",
        "'delayed', line_of(call), 0)",
        seen_by=test_queues.test_calls_are_counted_by_queue_and_status,
    ),
    ScriptFault(
        "what was delayed is counted for ever",
        "model",
        "line_of(call), -1) <= 0",
        "line_of(call), 0) < 0",
        seen_by=test_servers.test_nothing_stays_of_what_was_purged,
    ),
    ScriptFault(
        "nobody is told until when a call waits",
        "model",
        "  redis.call('HSET', key('i', call[ID]), 'w', until_when)\n",
        seen_by=test_broker.test_promise_7_what_was_put_off_without_a_start_expires,
    ),
    ScriptFault(
        "a key is forgotten",
        "model",
        "    redis.call('SET', key('k', call[KEY]), id)\n",
        seen_by=test_broker.test_promise_8_a_repeat_gets_the_first_ones_cid,
    ),
    ScriptFault(
        "a call is not found by its CID",
        "model",
        "  redis.call('ZADD', key('c', call[CID]), number, id)\n",
        seen_by=test_records.test_record,
    ),
    ScriptFault(
        "a call is not in the list of all",
        "model",
        "'h:all', number, id",
        "'h:nothing', number, id",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "a call is not in the list of the open ones",
        "model",
        "'h:open', number, id",
        "'h:nothing', number, id",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "a call is not in the list of its service",
        "model",
        "put_together(additions, key('h:s', call[SERVICE]), number, id)",
        "local _ = id",
        seen_by=test_find.test_pages_follow_each_other,
    ),
    ScriptFault(
        "a call is not in the list of its parent",
        "model",
        "    redis.call('ZADD', key('h:p', call[PARENT]), number, id)\n",
        seen_by=test_find.test_every_combination_of_filters,
    ),
    ScriptFault(
        "what was withdrawn expires",
        "model",
        "  redis.call('ZREM', P .. 'exp', call[ID])\n",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "what was withdrawn is offered",
        "model",
        "    redis.call('ZREM', key('r', line_of(call)), call[ID])\n",
        "",
        seen_by=test_servers.test_what_was_cancelled_is_in_no_queue,
    ),
    ScriptFault(
        "what ended makes no room",
        "model",
        "  redis.call('SREM', key('run', service), id)\n",
        seen_by=test_concurrency.test_each_that_ends_lets_another_begin,
    ),
    ScriptFault(
        "the take-overs are not recorded",
        "model",
        "'>I4I4I4', takeovers, #",
        "'>I4I4I4', 0, #",
        seen_by=test_broker.test_promise_4_takeovers_add_up_to_the_outcome,
    ),
    ScriptFault(
        "what ended never becomes old",
        "model",
        "put_together(additions, P .. 'end', when, id)",
        "local _ = when",
        seen_by=test_broker.test_promise_9_outcomes_go_after_their_retention,
    ),
    ScriptFault(
        "what ended is open",
        "model",
        "put_together(removals, P .. 'h:open', id)",
        "local _ = when",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "what ended keeps its state",
        "model",
        "  redis.call('DEL', key('i', id))\n",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "what ended badly is in no list",
        "model",
        "status ~= 'done'",
        "false",
        seen_by=test_find.test_every_combination_of_filters,
    ),
    ScriptFault(
        "nobody is told what ended",
        "model",
        "  ended[#ended + 1] = id\nend",
        "end",
        seen_by=test_broker.test_promise_2_every_story_ends_once,
    ),
    ScriptFault(
        "a lease that ended is no take-over",
        "model",
        "  redis.call('HINCRBY', name, 'k', 1)\n",
        seen_by=test_broker.test_promise_4_a_vanished_holder_is_replaced_when_its_lease_ends,
    ),
    ScriptFault(
        "what was taken over expires",
        "model",
        "'t', 'e', 'm')\n  redis.call('HINCRBY'",
        "'t', 'm')\n  redis.call('HINCRBY'",
        seen_by=test_broker.test_promise_7_what_started_once_does_not_expire,
    ),
    ScriptFault(
        "what was taken over is held",
        "model",
        "'t', 'e', 'm')\n  redis.call('HINCRBY'",
        "'e', 'm')\n  redis.call('HINCRBY'",
        seen_by=test_broker.test_promise_3_a_sleeper_records_nothing,
    ),
    ScriptFault(
        "what was taken over takes up room",
        "model",
        "if redis.call('HGET', name, 'm') then",
        "if false then",
        seen_by=test_concurrency.test_the_end_of_a_lease_makes_room,
    ),
    ScriptFault(
        "who holds no token keeps a lease alive",
        "model",
        "redis.call('HGET', key('i', id), 't') == token",
        "true",
        seen_by=test_broker.test_promise_4_a_beat_names_what_is_held_no_more,
    ),
    ScriptFault(
        "a beat prolongs nothing",
        "model",
        "      redis.call('ZADD', P .. 'lease', 'XX', ends, id)\n",
        "      local _ = ends\n",
        seen_by=test_broker.test_promise_4_beats_keep_a_lease_alive,
    ),
    ScriptFault(
        "nobody is told what is ready",
        "model",
        "{result, ready and 1 or 0, ended}",
        "{result, 0, ended}",
        seen_by=test_lanes.test_a_batch_says_whether_leasing_is_worth_while,
    ),
    ScriptFault(
        "a service of a server that is gone waits",
        "model",
        "'(' .. string.format('%.0f', boot), '+inf'",
        "'-inf', '+inf'",
        test_servers.test_what_only_a_server_had_that_is_gone_is_stranded,
    ),
    ScriptFault(
        "the bell says nothing is ready",
        "model",
        "(ready and 'r' or '-')",
        "'-'",
        test_servers.test_the_bell_says_that_there_is_work,
    ),
    ScriptFault(
        "the bell does not say what ended",
        "model",
        "table.concat(ended))",
        "'')",
        test_servers.test_the_bell_says_what_ended,
    ),
    ScriptFault(
        "the bell rings for whoever rings it", "model", "TAG .. '|'", "'|'", test_servers.test_nobody_hears_himself
    ),
)

OF_CALLS = (
    ScriptFault(
        "a key does not ask for the service",
        "accept",
        "earlier[SERVICE] == call[SERVICE] and ",
        seen_by=test_broker.test_promise_8_a_key_used_for_something_else_is_a_conflict,
    ),
    ScriptFault(
        "a key does not ask for the payload",
        "accept",
        " and payload_of(first) == payload_of(data)",
        seen_by=test_broker.test_promise_8_a_key_used_for_something_else_is_a_conflict,
    ),
    ScriptFault(
        "of many calls those before a conflict stay",
        "accept",
        "if all then",
        "if false then",
        seen_by=test_accept_all.test_a_used_key_in_the_middle_refuses_all,
    ),
    ScriptFault(
        "two of many calls do not meet",
        "accept",
        "among[call[KEY]] = data",
        "local _ = data",
        seen_by=test_accept_all.test_one_key_for_two_things_among_them_refuses_all,
    ),
    ScriptFault(
        "who holds no token ends calls",
        "finish",
        "state[1] ~= token",
        "not state[1]",
        seen_by=test_broker.test_promise_3_a_sleeper_records_nothing,
    ),
    ScriptFault(
        "what never ran can be ended",
        "finish",
        "state[1] ~= token",
        "state[1] and state[1] ~= token",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "what was ended is leased",
        "finish",
        "  put_together(removals, P .. 'lease', id)\n",
        seen_by=test_queues.test_calls_are_counted_by_queue_and_status,
    ),
    ScriptFault(
        "the end of a limited call makes no room",
        "finish",
        "if state[3] then",
        "if false then",
        seen_by=test_concurrency.test_each_that_ends_lets_another_begin,
    ),
    ScriptFault(
        "the outcome forgets take-overs",
        "finish",
        "tonumber(state[2] or 0), token",
        "0, token",
        seen_by=test_broker.test_promise_4_takeovers_add_up_to_the_outcome,
    ),
    ScriptFault(
        "follow-ups are lost",
        "finish",
        "store(head_of(ARGV[follow_up]), ARGV[follow_up])",
        "local _ = follow_up",
        seen_by=test_broker.test_promise_5_follow_ups_are_there_with_the_outcome,
    ),
    ScriptFault(
        "who holds no token gives back",
        "give_back",
        "state[1] ~= token",
        "not state[1]",
        seen_by=test_broker.test_promise_3_a_sleeper_records_nothing,
    ),
    ScriptFault(
        "what was given back is still leased",
        "give_back",
        "  redis.call('ZREM', P .. 'lease', id)\n  if counts",
        "  if counts",
        seen_by=test_servers.test_every_call_is_counted_once_wherever_it_was,
    ),
    ScriptFault(
        "what was given back takes up room",
        "give_back",
        "  if counts then",
        "  if false then",
        seen_by=test_concurrency.test_the_end_of_a_lease_makes_room,
    ),
    ScriptFault(
        "what was given back is held",
        "give_back",
        "'HDEL', name, 't', 'm'",
        "'HDEL', name, 'm'",
        seen_by=test_broker.test_promise_7_what_was_put_off_without_a_start_expires,
    ),
    ScriptFault(
        "what was put off has started",
        "give_back",
        "if how == 'put off' then",
        "if false then",
        seen_by=test_broker.test_promise_7_what_was_put_off_without_a_start_expires,
    ),
    ScriptFault(
        "what was put off does not expire", "give_back", "      redis.call('ZADD', P .. 'exp', state[4], id)\n"
    ),
    ScriptFault(
        "what was put off began",
        "give_back",
        "      redis.call('HDEL', name, 'h', 'b')\n",
        "      local _ = name\n",
        test_broker.test_promise_11_what_never_ran_has_no_server_but_the_one_that_was_asked,
    ),
    ScriptFault(
        "what was tried expires",
        "give_back",
        "    redis.call('HDEL', name, 'e')\n",
        seen_by=test_broker.test_promise_7_a_retry_that_was_put_off_does_not_expire,
    ),
    ScriptFault(
        "an attempt is forgotten",
        "give_back",
        "    redis.call('HSET', name, 'a', attempts)\n",
        seen_by=test_broker.test_promise_5_a_postponed_attempt_is_counted_and_leased_at_its_time,
    ),
    ScriptFault(
        "failures are forgotten",
        "give_back",
        "    redis.call('RPUSH', key('f', id), failure)\n",
        seen_by=test_broker.test_promise_9_slices_of_large_calls_are_small,
    ),
    ScriptFault(
        "failures come newest first",
        "give_back",
        "'RPUSH'",
        "'LPUSH'",
        seen_by=test_records.test_failed_attempts_are_kept,
    ),
    ScriptFault(
        "failures are kept without end",
        "give_back",
        "-KEPT_FAILURES, -1)",
        "0, -1)",
        seen_by=test_records.test_only_the_last_failures_are_kept,
    ),
    ScriptFault(
        "what is to be tried again is tried at once",
        "give_back",
        "not_before + skew",
        "now",
        seen_by=test_broker.test_promise_5_a_postponed_attempt_is_counted_and_leased_at_its_time,
    ),
    ScriptFault("what was released waits", "give_back", "how == 'release'", "false"),
    ScriptFault(
        "what has ended can be cancelled",
        "cancel",
        "not redis.call('ZSCORE', P .. 'h:open', id)",
        "redis.call('EXISTS', key('d', id)) == 0",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "what was cancelled is leased",
        "cancel",
        "  redis.call('ZREM', P .. 'lease', id)\n  attempts",
        "  attempts",
        seen_by=test_servers.test_what_was_cancelled_is_in_no_queue,
    ),
    ScriptFault(
        "the attempt that is cancelled does not count",
        "cancel",
        "attempts = attempts + 1",
        "attempts = attempts",
        seen_by=test_broker.test_promise_11_what_runs_can_be_cancelled,
    ),
    ScriptFault(
        "what was cancelled takes up room",
        "cancel",
        "if state[7] then",
        "if false then",
        seen_by=test_concurrency.test_the_end_of_a_lease_makes_room,
    ),
    ScriptFault(
        "what was cancelled waits",
        "cancel",
        "  withdraw(call, state[6])\n",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "what was delayed is withdrawn from those ready",
        "cancel",
        "withdraw(call, state[6])",
        "withdraw(call, false)",
        seen_by=test_servers.test_what_was_cancelled_is_in_no_queue,
    ),
    ScriptFault(
        "who ran what was cancelled is not said",
        "cancel",
        "ran_on or server",
        "server",
        seen_by=test_broker.test_promise_11_what_runs_can_be_cancelled,
    ),
    ScriptFault(
        "a beat loses nothing",
        "beat",
        "answer(prolong(asked[2], boot + asked[1]))",
        "answer(prolong(asked[2], boot + asked[1]) and {})",
        seen_by=test_broker.test_promise_4_a_beat_names_what_is_held_no_more,
    ),
    MisheardQuestion(
        "holders take over from themselves",
        Lease,
        lambda asked: replace(asked, holdings=()),
        seen_by=test_broker.test_promise_4_a_lease_keeps_what_its_server_holds,
    ),
    MisheardQuestion(
        "what a class says is forgotten",
        Announce,
        lambda asked: replace(asked, terms={}),
        seen_by=test_concurrency.test_no_more_run_at_once,
    ),
    MisheardQuestion(
        "follow-ups are not sent",
        Finish,
        lambda asked: replace(asked, follow_ups=()),
        seen_by=test_broker.test_promise_5_follow_ups_are_there_with_the_outcome,
    ),
    MisheardQuestion(
        "failures are not sent",
        Postpone,
        lambda asked: replace(asked, failure=None),
        seen_by=test_broker.test_promise_9_slices_of_large_calls_are_small,
    ),
)

OF_LEASES = (
    ScriptFault(
        "a lease ends late",
        "lease",
        "'ZRANGEBYSCORE', LEASE, '-inf', boot",
        "'ZRANGEBYSCORE', LEASE, '-inf', boot - 1",
        seen_by=test_broker.test_promise_4_a_vanished_holder_is_replaced_when_its_lease_ends,
    ),
    ScriptFault(
        "a lease ends early",
        "lease",
        "'ZRANGEBYSCORE', LEASE, '-inf', boot",
        "'ZRANGEBYSCORE', LEASE, '-inf', boot + 1",
    ),
    ScriptFault(
        "what is delayed starts early",
        "lease",
        "P .. 'due', '-inf', now",
        "P .. 'due', '-inf', now + 1",
        seen_by=test_broker.test_promise_6_delayed_means_not_before,
    ),
    ScriptFault(
        "what is delayed starts late",
        "lease",
        "P .. 'due', '-inf', now",
        "P .. 'due', '-inf', now - 1",
        seen_by=test_broker.test_promise_4_what_is_given_back_is_no_takeover,
    ),
    ScriptFault(
        "what was delayed stays so",
        "lease",
        "      delay_no_more(call)\n",
        "",
        seen_by=test_servers.test_every_call_is_counted_once_wherever_it_was,
    ),
    ScriptFault(
        "expiry comes late",
        "lease",
        "P .. 'exp', '-inf', now",
        "P .. 'exp', '-inf', now - 1",
        seen_by=test_broker.test_promise_7_what_could_not_start_expires_too,
    ),
    ScriptFault(
        "what is too late for one lease starts",
        "lease",
        "expires > 0 and expires <= now",
        "false",
        test_broker.test_promise_7_none_of_many_starts,
    ),
    ScriptFault(
        "what runs expires",
        "lease",
        "    redis.call('ZREM', P .. 'exp', id)\n",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "paused queues go on",
        "lease",
        "  paused[queue] = true\n",
        seen_by=test_concurrency.test_what_is_limited_and_paused_waits_for_both,
    ),
    ScriptFault(
        "limits are not kept",
        "lease",
        "return most - redis",
        "return most - 0 * redis",
        seen_by=test_concurrency.test_no_more_run_at_once,
    ),
    ScriptFault(
        "what runs of a limited service is not counted",
        "lease",
        "    redis.call('SADD', key('run', line.service), id)\n",
        seen_by=test_concurrency.test_no_more_run_at_once,
    ),
    ScriptFault(
        "what is leased of a limited service is not known for it",
        "lease",
        "    redis.call('HSET', key('i', id), 'm', 1)\n",
        seen_by=test_concurrency.test_each_that_ends_lets_another_begin,
    ),
    ScriptFault(
        "a lease of a limited service takes what there is",
        "lease",
        "math.min(room, places, SLICE)",
        "math.min(room, SLICE)",
        seen_by=test_concurrency.test_no_more_run_at_once,
    ),
    ScriptFault(
        "every server runs in every lane",
        "lease",
        "runs_in[i] == lane",
        "runs_in[i]",
        seen_by=test_lanes.test_limits_of_lanes_are_kept,
    ),
    ScriptFault(
        "every server runs every service",
        "lease",
        "runs_in[i] == lane",
        "(runs_in[i] or lane) == lane",
        test_servers.test_a_service_is_leased_only_where_it_is,
    ),
    ScriptFault(
        "a lease looks at the services of one server",
        "lease",
        "'HMGET', key('caps', server)",
        "'HMGET', key('caps', 'server1')",
        test_servers.test_a_service_is_leased_only_where_it_is,
    ),
    ScriptFault(
        "lines are handed out one after the other",
        "lease",
        "'-inf', upto, 'LIMIT'",
        "'-inf', '+inf', 'LIMIT'",
        seen_by=test_lanes.test_first_accepted_is_first_leased,
    ),
    ScriptFault(
        "a line that was handed out from stays first",
        "lease",
        "        move_back(lines)\n",
        seen_by=test_lanes.test_first_accepted_is_first_leased,
    ),
    ScriptFault(
        "what is handed out is ready",
        "lease",
        "put_together(removals, name, id)",
        "local _ = name",
        seen_by=test_broker.test_promise_3_one_call_is_leased_once,
    ),
    ScriptFault(
        "what is handed out is held for ever",
        "lease",
        "put_together(additions, LEASE, boot + lasts, id)",
        "local _ = lasts",
        seen_by=test_broker.test_promise_4_a_vanished_holder_is_replaced_when_its_lease_ends,
    ),
    ScriptFault(
        "a lease forgets who holds it",
        "lease",
        "'h', holder, 'b', now",
        "'b', now",
        seen_by=test_broker.test_promise_4_reclaim_ends_the_leases_of_earlier_runs_at_once,
    ),
    ScriptFault(
        "a lease has another token",
        "lease",
        "'t', token, 'h'",
        "'t', 'x', 'h'",
        seen_by=test_broker.test_promise_2_an_outcome_is_final,
    ),
    ScriptFault(
        "delays are no reason to wake up",
        "lease",
        "due = now, ",
        seen_by=test_broker.test_promise_6_a_lease_says_when_the_next_call_is_due,
    ),
    ScriptFault(
        "expiries are no reason to wake up",
        "lease",
        "exp = now, ",
        seen_by=test_broker.test_promise_6_a_lease_says_when_the_next_call_is_due,
    ),
    ScriptFault(
        "leases are no reason to wake up",
        "lease",
        ", lease = boot",
        seen_by=test_broker.test_promise_4_a_late_beat_keeps_what_nobody_took_over,
    ),
    ScriptFault(
        "a new run ends no lease",
        "reclaim",
        "its_run ~= run or ",
        seen_by=test_broker.test_promise_4_reclaim_ends_the_leases_of_the_dead_alone,
    ),
    ScriptFault(
        "a new process ends no lease",
        "reclaim",
        " or tonumber(its_worker) == worker",
        seen_by=test_broker.test_promise_4_reclaim_ends_the_leases_of_the_dead_alone,
    ),
    ScriptFault(
        "the leases of other servers end",
        "reclaim",
        "whose == server and ",
        "",
        test_servers.test_a_lease_of_another_server_is_not_ended,
    ),
)

OF_THE_REST = (
    ScriptFault(
        "a service that left runs",
        "announce",
        "      redis.call('HDEL', name, service)\n",
        seen_by=test_lanes.test_what_is_announced_no_more_is_stranded,
    ),
    ScriptFault(
        "what is added takes the place of all",
        "announce",
        "how == REPLACING",
        "true",
        seen_by=test_lanes.test_announcement_that_only_adds,
    ),
    ScriptFault(
        "nobody is told what stays announced",
        "announce",
        "      stays[#stays + 1] = service\n",
        seen_by=test_lanes.test_announcement_that_only_adds,
    ),
    ScriptFault(
        "a service does not change lanes",
        "announce",
        "before[service] ~= lane and",
        "not before[service] and",
        seen_by=test_lanes.test_only_the_changed_service_moves,
    ),
    ScriptFault(
        "a limit is never lifted",
        "announce",
        "    redis.call('HDEL', P .. 'limits', service)\n",
        seen_by=test_concurrency.test_a_limit_that_is_raised_lets_others_begin,
    ),
    ScriptFault(
        "what runs does not count for a new limit",
        "announce",
        "newly_limited[service] = true",
        "local _ = service",
        seen_by=test_concurrency.test_what_runs_already_counts,
    ),
    ScriptFault(
        "a limit that changed wakes nobody",
        "announce",
        "ready = ready or changed",
        "ready = ready",
        seen_by=test_lanes.test_a_batch_says_whether_leasing_is_worth_while,
    ),
    ScriptFault(
        "no service is known",
        "known",
        "redis.call('HGET', P .. 'known', service)",
        "nil",
        seen_by=test_concurrency.test_it_is_known_what_was_announced_and_on_what_terms,
    ),
    ScriptFault(
        "every service is known",
        "known",
        "service) or 0",
        "service) or ''",
        seen_by=test_concurrency.test_it_is_known_what_was_announced_and_on_what_terms,
    ),
    ScriptFault(
        "a pause is forgotten",
        "pause",
        "paused == 1 and 'SADD' or 'SREM'",
        "'SREM'",
        seen_by=test_concurrency.test_what_is_limited_and_paused_waits_for_both,
    ),
    ScriptFault(
        "a pause is for ever",
        "pause",
        "paused == 1 and 'SADD' or 'SREM'",
        "'SADD'",
        seen_by=test_concurrency.test_what_is_limited_and_paused_waits_for_both,
    ),
    ScriptFault(
        "a queue that goes on wakes nobody",
        "pause",
        "ready = paused == 0 and changed == 1\n",
        seen_by=test_queues.test_what_waited_in_a_paused_queue_comes_in_its_order,
    ),
    ScriptFault("what ended lately counts as old", "purge", "now - retention)", "now - retention + 1000)"),
    ScriptFault(
        "a purge takes the newest first",
        "purge",
        "'ZRANGEBYSCORE', P .. 'end', '-inf', before,",
        "'ZREVRANGEBYSCORE', P .. 'end', before, '-inf',",
        seen_by=test_broker.test_promise_9_purging_is_done_in_slices,
    ),
    ScriptFault(
        "a purge knows no limit",
        "purge",
        "math.min(most, #old)",
        "#old",
        seen_by=test_broker.test_promise_9_purging_is_done_in_slices,
    ),
    ScriptFault(
        "a purge is never done",
        "purge",
        "count < #old and 1 or 0",
        "1",
        seen_by=test_broker.test_promise_9_outcomes_go_after_their_retention,
    ),
    ScriptFault(
        "a purge does not look at sizes",
        "purge",
        "most_bytes < 0 and count > 0",
        "false",
        partial(test_broker.test_promise_9_slices_of_large_calls_are_small, where="payload"),
    ),
    ScriptFault(
        "a purge leaves keys",
        "purge",
        "    redis.call('DEL', key('k', call[KEY]))\n",
        seen_by=test_servers.test_nothing_stays_of_what_was_purged,
    ),
    ScriptFault(
        "a purge leaves calls",
        "purge",
        "key('d', id), key('o', id)",
        "key('o', id)",
        seen_by=test_broker.test_promise_9_outcomes_go_after_their_retention,
    ),
    ScriptFault(
        "a purge leaves outcomes",
        "purge",
        "  redis.call('UNLINK', key('d', id), key('o', id), key('f', id))\nend",
        "  redis.call('UNLINK', key('d', id), key('f', id))\nend",
        seen_by=test_servers.test_nothing_stays_of_what_was_purged,
    ),
    ScriptFault(
        "a purge leaves failures",
        "purge",
        "  redis.call('UNLINK', key('d', id), key('o', id), key('f', id))\nend",
        "  redis.call('UNLINK', key('d', id), key('o', id))\nend",
        seen_by=test_servers.test_nothing_stays_of_what_was_purged,
    ),
    ScriptFault(
        "a purge leaves CIDs",
        "purge",
        "  redis.call('ZREM', key('c', call[CID]), id)\n",
        seen_by=test_servers.test_nothing_stays_of_what_was_purged,
    ),
    ScriptFault(
        "a purge leaves lists of services",
        "purge",
        "put_together(removals, key('h:s', call[SERVICE]), id)",
        "local _ = id",
        seen_by=test_servers.test_nothing_stays_of_what_was_purged,
    ),
    ScriptFault(
        "a purge leaves lists of parents",
        "purge",
        "    redis.call('ZREM', key('h:p', call[PARENT]), id)\n",
        "",
        test_servers.test_nothing_stays_of_what_was_purged,
    ),
    ScriptFault(
        "a purge leaves lists of what ended badly",
        "purge",
        "  for _, index in ipairs({'h:all', 'h:failed', 'h:expired', 'h:cancelled', 'end'}) do\n    put",
        "  for _, index in ipairs({'h:all', 'h:expired', 'h:cancelled', 'end'}) do\n    put",
        seen_by=test_servers.test_nothing_stays_of_what_was_purged,
    ),
    ScriptFault(
        "a lock is held twice",
        "lock",
        "if is_held and not",
        "if false and not",
        seen_by=test_locks.test_a_lock_is_held_once,
    ),
    ScriptFault(
        "a lock ends late",
        "lock",
        "tonumber(held[2]) > boot",
        "tonumber(held[2]) >= boot",
        seen_by=test_locks.test_a_lock_is_held_until_its_time_has_run_out,
    ),
    ScriptFault(
        "a lock never ends",
        "lock",
        "tonumber(held[2]) > boot",
        "true",
        seen_by=test_locks.test_a_lock_is_held_until_its_time_has_run_out,
    ),
    ScriptFault(
        "anybody gives a lock back",
        "lock",
        "is_held and held[1] == token",
        "is_held",
        seen_by=test_locks.test_nobody_else_gives_a_lock_back,
    ),
    ScriptFault(
        "a lock that ended is given back",
        "lock",
        "is_held and held[1] == token",
        "held[1] == token",
        seen_by=test_locks.test_a_lock_whose_time_has_run_out_is_not_held,
    ),
    ScriptFault(
        "a lock that was given back is held",
        "lock",
        "    redis.call('DEL', lock)\n",
        seen_by=test_locks.test_a_lock_that_was_given_back_is_free,
    ),
    ScriptFault(
        "a lock stays for ever in memory",
        "lock",
        "redis.call('PEXPIRE', lock, math.ceil(lasts) + 60000)\n",
        "",
        test_servers.test_a_lock_leaves_nothing,
    ),
    ScriptFault(
        "a queue counts what is stranded as waiting",
        "queues",
        "if is_deployed(service) then",
        "if true then",
        seen_by=test_queues.test_calls_are_counted_by_queue_and_status,
    ),
    ScriptFault(
        "a queue does not count what runs",
        "queues",
        "  queue[5] = queue[5] + 1\n",
        seen_by=test_queues.test_calls_are_counted_by_queue_and_status,
    ),
    ScriptFault(
        "a queue does not count what is delayed",
        "queues",
        "  queue[4] = queue[4] + tonumber(delayed[at + 1])\n",
        seen_by=test_queues.test_calls_are_counted_by_queue_and_status,
    ),
    ScriptFault(
        "a queue does not say that it is paused",
        "queues",
        "  queue_of(name)[2] = 1\n",
        seen_by=test_queues.test_without_calls_there_is_no_queue,
    ),
    ScriptFault(
        "the oldest of a queue is of its first line",
        "queues",
        "math.min(queue[7], oldest or queue[7])",
        "queue[7]",
        seen_by=test_servers.test_the_oldest_is_of_all_lines_and_priorities,
    ),
    ScriptFault(
        "the oldest of a queue is the most urgent",
        "queues",
        "math.min(oldest or created, created) or oldest",
        "(oldest or created) or oldest",
        seen_by=test_servers.test_the_oldest_is_of_all_lines_and_priorities,
    ),
    ScriptFault(
        "a CID stands for its oldest call",
        "records",
        "'ZREVRANGE', key('c'",
        "'ZRANGE', key('c'",
        seen_by=test_records.test_a_cid_stands_for_its_newest_call,
    ),
    ScriptFault(
        "lists do not ask for the service",
        "records",
        "(not wanted.service or call[SERVICE] == wanted.service)",
        "true",
        seen_by=test_find.test_every_combination_of_filters,
    ),
    ScriptFault(
        "lists do not ask for the parent",
        "records",
        "(not wanted.parent or call[PARENT] == wanted.parent)",
        "true",
        seen_by=test_find.test_every_combination_of_filters,
    ),
    ScriptFault(
        "lists do not ask since when",
        "records",
        "(wanted.since == 0 or call[CREATED] >= wanted.since)",
        "true",
        seen_by=test_find.test_every_combination_of_filters,
    ),
    ScriptFault(
        "lists do not ask until when",
        "records",
        "call[CREATED] < wanted.before",
        "call[CREATED] <= wanted.before",
        seen_by=test_find.test_every_combination_of_filters,
    ),
    ScriptFault(
        "lists do not ask for the status",
        "records",
        "(not wanted.status or status_of(call, state, outcome) == wanted.status)",
        "true",
        seen_by=test_find.test_every_combination_of_filters,
    ),
    ScriptFault(
        "a page leaves one out",
        "records",
        "local upto = '(' .. string.format('%.0f', below)",
        "local upto = '(' .. string.format('%.0f', below - 1)",
        seen_by=test_find.test_pages_follow_each_other,
    ),
    ScriptFault(
        "what runs comes in any order",
        "records",
        "one[2] > other[2]",
        "one[2] < other[2]",
        seen_by=test_find.test_every_combination_of_filters,
    ),
    ScriptFault(
        "an environment takes the name of one that lives",
        "members",
        "member[IDENTITY] ~= identity and lives(member)",
        "false",
        test_members.test_a_second_server_of_the_same_name_learns_of_the_first,
    ),
    ScriptFault(
        "nobody gets the name of who is gone",
        "members",
        "member[IDENTITY] ~= identity and lives(member)",
        "member[IDENTITY] ~= identity",
        partial(test_members.test_who_is_gone_is_no_rival, how="silent"),
    ),
    ScriptFault(
        "a run before this one stays",
        "members",
        "      elseif member[RUN] ~= run then",
        "      elseif false then",
        test_members.test_a_new_run_takes_the_place_of_the_one_before,
    ),
    ScriptFault(
        "a process is alive a little longer",
        "members",
        "math.abs(boot - member[SEEN]) < member",
        "math.abs(boot - member[SEEN]) <= member",
        seen_by=test_members.test_who_is_silent_for_too_long_counts_as_gone,
    ),
    ScriptFault(
        "who is gone for long is listed",
        "members",
        "if ago <= DAY then",
        "if true then",
        test_members.test_who_is_gone_for_a_day_is_forgotten,
    ),
    ScriptFault(
        "who is gone for long is kept",
        "members",
        "elseif boot - member[SEEN] > DAY then",
        "elseif false then",
        test_servers.test_a_server_that_never_came_back_leaves_nothing,
    ),
    ScriptFault(
        "who was replaced takes its successor along",
        "members",
        "if member and member[RUN] == run then",
        "if member then",
        test_members.test_who_was_replaced_does_not_take_its_successor_along,
    ),
    ScriptFault(
        "who leaves keeps its services",
        "members",
        "  redis.call('ZREM', P .. 'alive', server)\n  redis.call('DEL', key('caps', server))\n",
        "",
        test_servers.test_who_leaves_takes_its_services_along,
    ),
    ScriptFault(
        "who leaves first takes the services of all along",
        "members",
        "    if server_of(other) == server then\n      return",
        "    if server_of(other) == server then\n      break",
        test_servers.test_a_process_that_leaves_leaves_the_services_of_the_others,
    ),
    ScriptFault(
        "a drain outlives the run",
        "members",
        "  if draining and draining ~= run then",
        "  if false then",
        test_servers.test_a_server_that_was_killed_while_it_was_drained_takes_work_again,
    ),
    ScriptFault(
        "nobody is drained",
        "members",
        "        redis.call('HSET', DRAINING, server, member[RUN])\n",
        "        local _ = member\n",
        test_members.test_all_processes_of_a_server_are_drained,
    ),
    ScriptFault(
        "a server that was forgotten runs nothing",
        "members",
        "is_forgotten and server or ''",
        "''",
        test_servers.test_a_server_that_was_forgotten_runs_its_services_again,
    ),
)

FAULTS: tuple[ScriptFault | MisheardQuestion, ...] = (*OF_MODEL, *OF_CALLS, *OF_LEASES, *OF_THE_REST)
