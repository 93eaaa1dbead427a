"""The fields of a call's record, in words: what built-in services return, clients hold, and commands print as JSON.

`zato.server.records` fills them in; the reference page shows them.
"""

from collections.abc import Mapping

__all__ = ["FIELDS"]

FIELDS: Mapping[str, str] = {
    "id": "26 characters that no other call has; they sort by time",
    "cid": "the correlation ID: `self.cid` of the service",
    "cid_count": "how many stored calls carry this CID",
    "service": "name of the service",
    "status": (
        "`waiting`, `delayed`, `running` or `stranded`; or an outcome: `done`, `failed`, `expired`, `cancelled`"
    ),
    "channel": "how the call came: `invoke-async`, `invoke-async-callback`, or what the caller said",
    "queue": "the queue it is in, by default `default`",
    "priority": "`high`, `normal` or `low`: which of several that wait starts first",
    "parent": "CID of the request or service that made the call",
    "in_reply_to": "of a callback: CID of the call that it answers",
    "replay_of": "`id` of the call that this one repeats",
    "attempts": "how often the service was run to an end, the present run included",
    "takeovers": "how often the call lost its process",
    "created": "when it was accepted",
    "not_before": "when it may start: the delay, or the pause before a retry",
    "expires": "when it may start no more",
    "started": "when the last run began",
    "ended": "when it got its outcome",
    "server": "name of the server that runs it, or ran it last",
    "version": "version of the server that recorded the outcome",
    "payload": "what the service was given",
    "response": "what it returned",
    "error": "why it failed: `code`, `type`, `message`; with the setting `return_tracebacks` also `traceback`",
    "callback": "names of the services that get the response",
    "on_failure": "names of the services that learn of a failure",
    "retry": (
        "how often and after which errors it is tried: `attempts`, `backoff`, `cap`, `jitter`, `on`, `not_on`; "
        "null if once"
    ),
    "time_limit": "seconds that one attempt may take",
    "failures": (
        "the last 10 attempts that failed and were tried again, oldest first: `attempt`, `started`, `ended`, "
        "`server`, `error`"
    ),
}
