"""Faults in what lists, documents, the audit and servers are asked, in single statements and lines of scripts.

Each stands with the test of the contract that must notice it. `test_seeded_faults.py` runs those of statements, and
`test_script_faults.py` those of scripts.
"""

from tests.contract import test_audit, test_documents, test_find_by_run, test_find_tree, test_records, test_whereabouts
from tests.contract.script_faults import ScriptFault
from tests.contract.seeded_faults import Fault

__all__ = ["OF_SCRIPTS", "OF_STATEMENTS"]

OVER = "(ends IS NULL OR ends > :now)"
COMBINED = test_find_by_run.test_every_combination_of_filters
LISTED = test_records.test_lists_have_the_failed_attempts_of_each_call
ONE_ERROR = test_find_by_run.test_an_error_has_a_text
UNTIL = test_documents.test_a_document_is_there_until_its_time_is_over
AT_MOST = test_documents.test_at_most_so_many_of_an_owner_stay
ALL_OF_ONE = test_documents.test_all_of_an_owner_are_forgotten
SLICES = test_documents.test_what_is_over_is_purged_in_slices
AGAIN = test_documents.test_what_is_kept_again_takes_the_place
NOTE_FILTERS = test_audit.test_every_combination_of_filters
NOTE_SLICES = test_audit.test_old_entries_are_purged_in_slices
TREE = test_find_tree.test_tree_is_the_same_from_all_its_calls
SHARED = test_find_tree.test_calls_that_share_a_cid
NO_RECORD = test_find_tree.test_root_without_a_record
CUT = test_find_tree.test_cut_tree_has_what_is_above_and_the_oldest
NOBODY = test_find_tree.test_what_is_not_there_has_no_tree
OLDEST = test_find_tree.test_what_the_oldest_of_a_cid_made
AGAIN_ABOVE = test_find_tree.test_what_the_oldest_of_a_cid_made_long_before_it_was_carried_again
DEEP = test_find_tree.test_deep_and_wide_trees_are_whole
GONE = test_whereabouts.test_a_server_that_is_gone_runs_nothing

OF_STATEMENTS = (
    Fault("lists do not ask for the channel", "find_rest", ":channel IS NULL OR", "true OR", COMBINED),
    Fault("the usual channel is none", "find_rest", "'invoke-async'", "''", COMBINED),
    Fault("lists do not know where what has ended ran", "find_server", "o.server = :server", "false", COMBINED),
    Fault("lists do not know where what runs does", "find_server", "p.token IS NOT NULL", "false", COMBINED),
    Fault("what waits is where it ran last", "find_server", "|| '/'", "|| ''", COMBINED),
    Fault("a server is all that begin like it", "find_server", "NOT LIKE '%/%/%'", "IS NOT NULL", COMBINED),
    Fault("errors are asked for in one case", "find_error", "lower(:error)", ":error", ONE_ERROR),
    Fault("errors are asked for without their type", "find_error", "'type'", "'code'", ONE_ERROR),
    Fault(
        "any error is that error",
        "find_that_error",
        "lower(:error)",
        "''",
        test_find_by_run.test_an_error_is_asked_for_beside_something_narrow,
    ),
    Fault("lists count all calls as one CID", "cid_counts", "GROUP BY c.cid", "GROUP BY true", LISTED),
    Fault("lists have the failures of none", "failures_of_some", "f.seq IN", "f.seq NOT IN", LISTED),
    Fault("lists have failures newest first", "failures_of_some", "f.seq, f.attempt", "f.seq, f.attempt DESC", LISTED),
    Fault("a page begins with its oldest", "look_some", "DESC", "", COMBINED),
    Fault("a tree is that of any call", "tree_by_id", "id = :id", "id >= :id", SHARED),
    Fault("the oldest of a CID is above", "tree_by_cid", "seq DESC", "seq", SHARED),
    Fault("what the oldest of a CID made is left out", "tree_first", "min(seq)", "max(seq)", OLDEST),
    Fault("a tree ends at what has no record", "tree_first", "min(seq)", "coalesce(min(seq), 9000)", NO_RECORD),
    Fault("a tree goes past what stands above", "tree_next", "coalesce(:upto, 9", "coalesce(:upto * 9, 9", AGAIN_ABOVE),
    Fault("a tree is of all that was made", "tree_next", "i.parent IN", "i.parent NOT IN", TREE),
    Fault("a tree begins with the newest", "tree_next", "ORDER BY i.seq", "ORDER BY i.seq DESC", DEEP),
    Fault(
        "what is new is never new",
        "kept",
        "key = :key",
        "key = :key AND false",
        test_documents.test_only_new_leaves_what_there_is,
    ),
    Fault("what is over is not new", "kept", OVER, "true", test_documents.test_what_is_over_gives_way_to_what_is_new),
    Fault("the time is forgotten", "keep", ":ends", "NULL AND :ends", UNTIL),
    Fault("more than at most stay", "trim_documents", "OFFSET :at_most", "OFFSET :at_most + 1", AT_MOST),
    Fault("what others own goes too", "trim_documents", " AND owner = :owner", "", AT_MOST),
    Fault("the newest go", "trim_documents", "number DESC", "number", AT_MOST),
    Fault("what is over counts", "trim_documents", OVER, "true", test_documents.test_what_is_over_does_not_count),
    Fault("what is over is found", "fetch", OVER, "true", UNTIL),
    Fault("it ends late", "fetch", "ends > :now", "ends >= :now", UNTIL),
    Fault("what is over is listed", "browse", OVER, "true", UNTIL),
    Fault("what is over is listed as somebody's", "browse_owner", OVER, "true", UNTIL),
    Fault("lists are of everybody's", "browse_owner", "owner = :owner", "owner <> ''", AGAIN),
    Fault(
        "lists begin with the oldest",
        "browse",
        "number DESC",
        "number",
        test_documents.test_what_was_kept_last_comes_first,
    ),
    Fault(
        "all of a kind are forgotten", "forget", " AND key = :key", "", test_documents.test_what_is_forgotten_is_gone
    ),
    Fault("all kinds are forgotten", "forget_all", "kind = :kind AND ", "", ALL_OF_ONE),
    Fault(
        "what is over counts as forgotten",
        "forget_all",
        "RETURNING ends IS NULL OR ends > :now",
        "RETURNING true",
        ALL_OF_ONE,
    ),
    Fault("a purge takes what is there", "purge_documents", "ends <= :now", "ends <= :now + 60000", SLICES),
    Fault("a purge takes more than a slice", "purge_documents", "LIMIT :limit", "LIMIT 1 + :limit", SLICES),
    Fault("the audit does not ask for the user", "notes", "user = :user", "true", NOTE_FILTERS),
    Fault("the audit does not ask for the action", "notes", "action = :action", "true", NOTE_FILTERS),
    Fault("the audit does not ask for the object", "notes", "object = :object", "true", NOTE_FILTERS),
    Fault("the audit does not ask for the CID", "notes", "cid = :cid", "true", NOTE_FILTERS),
    Fault("the audit does not ask since when", "notes", "time >= :since", "time > :since", NOTE_FILTERS),
    Fault("the audit does not ask until when", "notes", "time < :until", "time <= :until", NOTE_FILTERS),
    Fault(
        "every page of the audit is the first",
        "notes",
        "number < :before",
        "number <> :before",
        test_audit.test_pages_follow_each_other,
    ),
    Fault("the audit goes early", "purge_notes", "time < :before", "time < :before + 9000", NOTE_SLICES),
    Fault("the newest of the audit go first", "purge_notes", "ORDER BY time", "ORDER BY time DESC", NOTE_SLICES),
)

OF_SCRIPTS = (
    ScriptFault("lists do not ask for the channel", "records", "not wanted.channel or", "true or", COMBINED),
    ScriptFault("the usual channel is none", "records", ".channel or 'invoke-async'", ".channel or ''", COMBINED),
    ScriptFault(
        "lists do not know where what has ended ran", "records", "return outcome[SERVER]", "return nil", COMBINED
    ),
    ScriptFault(
        "what waits is where it ran last",
        "records",
        "return state[1] and string",
        "return state[2] and string",
        COMBINED,
    ),
    ScriptFault("a server is all that begin like it", "records", "'^(.*)/[^/]*/[^/]*$'", "'^(.-)/'", COMBINED),
    ScriptFault("errors are asked for in one case", "records", "error and string.lower(error)", "error", ONE_ERROR),
    ScriptFault("errors are patterns", "records", "text, 1, true)", "text, 1)", ONE_ERROR),
    ScriptFault("errors are asked for without their type", "records", "error.type .. ': '", "''", ONE_ERROR),
    ScriptFault(
        "a count is of the first calls",
        "records",
        "local last = search(wanted, below, most, function()\n    counted",
        "local last = 0\n  search(wanted, below, most, function()\n    counted",
        test_find_by_run.test_pages_and_counts_of_rare_calls_are_whole,
    ),
    ScriptFault(
        "a count does not ask for the channel",
        "records",
        "(wanted[name] and 1 or 0)",
        "(name ~= 'channel' and wanted[name] and 1 or 0)",
        test_find_by_run.test_one_filter_alone_is_counted,
    ),
    ScriptFault(
        "a count does not ask since when",
        "records",
        "(wanted.since ~= 0 or wanted.before ~= 0) and 2 or 0",
        "0",
        test_find_by_run.test_one_filter_alone_is_counted,
    ),
    ScriptFault(
        "a call that is not there has a tree", "records", "if id and not stored(id, false)", "if false", NOBODY
    ),
    ScriptFault(
        "what the oldest of a CID made is left out",
        "records",
        "'ZRANGE', key('c', tree.root)",
        "'ZREVRANGE', key('c', tree.root)",
        OLDEST,
    ),
    ScriptFault("a tree ends at what has no record", "records", "first[2] or 0)", "first[2] or 9000)", NO_RECORD),
    ScriptFault(
        "who made a call was there after it",
        "records",
        "waiting[cid] = made_next(cid, behind)",
        "waiting[cid] = made_next(cid, 0 * behind)",
        SHARED,
    ),
    ScriptFault("a tree has its calls twice", "records", "if not tree.ids[made.id] then", "if made then", TREE),
    ScriptFault("a tree has no limit below", "records", "if #tree.calls == limit then", "if false then", CUT),
    ScriptFault("a tree has no limit above", "records", "id and #tree.calls == limit", "false", CUT),
    ScriptFault(
        "a tree has one of each that a call made",
        "records",
        "waiting[made.maker] = made_next(made.maker, made.number) or nil",
        "waiting[made.maker] = nil",
        TREE,
    ),
    ScriptFault(
        "a tree takes the newest first", "records", "made.number < first.number", "made.number > first.number", CUT
    ),
    ScriptFault("a tree has no order", "records", "return one[1] < other[1] end", "return one[1] > other[1] end", TREE),
    ScriptFault(
        "what is new is never new",
        "documents",
        "if only_new == 1 and",
        "if false and",
        test_documents.test_only_new_leaves_what_there_is,
    ),
    ScriptFault(
        "what is new is new twice",
        "documents",
        "answer(AGAIN and is_this",
        "answer(is_this",
        test_documents.test_only_new_leaves_what_there_is,
    ),
    ScriptFault(
        "kinds and keys are run together",
        "documents",
        "return #one .. ':' .. one .. other",
        "return one .. other",
        SLICES,
    ),
    ScriptFault("it ends late", "documents", "head[LAST] > now)", "head[LAST] >= now)", UNTIL),
    ScriptFault("it never ends", "documents", "head[LAST] > now)", "true)", UNTIL),
    ScriptFault(
        "who owned it before owns it still",
        "documents",
        "delete(kind, name, before and before[OWNER])",
        "local _ = 0",
        AGAIN,
    ),
    ScriptFault(
        "what is kept again ends as before",
        "documents",
        "  redis.call('ZREM', ENDS, both(kind, name))\n",
        "",
        test_documents.test_what_is_over_gives_way_to_what_is_new,
    ),
    ScriptFault("more than at most stay", "documents", "and most > 0 then", "and most >= 0 then", AT_MOST),
    ScriptFault("the newest go", "documents", "'ZREVRANGE', owned_by", "'ZRANGE', owned_by", AT_MOST),
    ScriptFault("nothing is ever purged", "documents", "ZADD', ENDS, last", "ZADD', ENDS, last + 9000000", SLICES),
    ScriptFault(
        "a long list ends early",
        "documents",
        "return answer({rows, #found < 2 * most and 0 or number})",
        "return answer({rows, 0})",
        test_documents.test_long_lists_are_whole,
    ),
    ScriptFault(
        "what is over counts as forgotten",
        "documents",
        "count = count + (is_there(",
        "count = count + 1 + (false and (",
        ALL_OF_ONE,
    ),
    ScriptFault(
        "a purge takes more than a slice",
        "documents",
        "for at = 1, math.min(most, #over) do",
        "for at = 1, #over do",
        SLICES,
    ),
    ScriptFault("the audit does not ask for the user", "documents", "entry[2] == user", "true", NOTE_FILTERS),
    ScriptFault("the audit does not ask for the action", "documents", "entry[4] == action", "true", NOTE_FILTERS),
    ScriptFault("the audit does not ask for the object", "documents", "entry[5] == object", "true", NOTE_FILTERS),
    ScriptFault("the audit does not ask for the CID", "documents", "entry[6] == cid", "true", NOTE_FILTERS),
    ScriptFault(
        "the audit does not ask until when", "documents", "entry[1] < before", "entry[1] <= before", NOTE_FILTERS
    ),
    ScriptFault(
        "the audit is as long as one step",
        "documents",
        "return answer({told, #found < most and 0 or number})",
        "return answer({told, 0})",
        test_audit.test_rare_entries_are_found_among_many,
    ),
    ScriptFault(
        "the audit goes early", "documents", "[1] < now - retention", "[1] < now - retention + 9000", NOTE_SLICES
    ),
    ScriptFault(
        "numbers begin anew",
        "documents",
        "redis.call('DEL', AUDIT)",
        "redis.call('DEL', AUDIT, P .. 'audit:seq') redis.call('XADD', AUDIT, '9-0', 'e', '')",
        test_audit.test_the_audit_goes_on_after_all_of_it_was_purged,
    ),
    ScriptFault(
        "servers that are gone run services",
        "members",
        "    if lives(member) then\n      living",
        "    if true then\n      living",
        GONE,
    ),
    ScriptFault(
        "all servers run everything",
        "members",
        "service) == 1 then\n        table.insert",
        "service) >= 0 then\n        table.insert",
        test_whereabouts.test_each_server_has_its_own_services,
    ),
)
