"""The same done to all invocations that match a filter: how many they are, whether it is meant, and how far it is."""

import re
import secrets
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from zato.core.invocation import OUTCOMES, PENDING
from zato.web_admin.errors import BadAddress, Refused
from zato.web_admin.filters import Filters, iso, read_filters
from zato.web_admin.jobs import Deed, Job, Wanted
from zato.web_admin.live import live
from zato.web_admin.page import page
from zato.web_admin.visit import Visit

__all__ = ["routes", "statuses_of"]

DEEDS: tuple[Deed, ...] = ("replay", "cancel")
# What names a job in addresses, as the form has it.
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Parameters of the page beside the filters.
OTHERS = ("do", "again")


def ask(visit: Visit) -> Response:
    """Show how many match, and ask whether it is meant."""
    deed, filters = _read(visit.query)
    moment = datetime.now(UTC)
    asked, statuses = _asked(filters, moment), statuses_of(deed, filters["status"])
    counts = [(status, _count(visit, {**asked, "status": status})) for status in statuses]
    values: dict[str, Any] = {
        "deed": deed,
        "filters": filters,
        "asked": asked,
        "counts": [(status, count) for status, count in counts if count],
        "total": sum(count for _, count in counts),
        "statuses": statuses,
        "key": secrets.token_urlsafe(16),
    }
    return visit.render("bulk.html", **values)


def begin(visit: Visit) -> Response:
    """Begin what was confirmed; the same form sent twice begins it once."""
    form = {name: text for name, text in visit.form.items() if text and name not in ("form_token", "key")}
    deed, filters = _read(form)
    if not visit.may("operator"):
        raise Refused("This needs the role operator.", status=403)
    key = visit.form.get("key", "")
    if not KEY.fullmatch(key):
        raise BadAddress("The form lacks its key. Go back, and load the page again.")
    wanted = Wanted(
        deed=deed,
        asked=_asked(filters, datetime.now(UTC)),
        statuses=statuses_of(deed, filters["status"]),
        again=form.get("again") == "1",
        person=visit.person,
        user=visit.user,
        link=filters.link("/invocations/-/all", do=deed),
    )
    job = visit.jobs.begin(key, wanted, visit.door)
    return visit.redirect(f"/invocations/-/jobs/{job.key}")


def show(visit: Visit) -> Response:
    """Show how far a job is."""
    return visit.render("job.html", job=_job(visit))


def now(visit: Visit) -> str:
    """Return the part of the page that changes."""
    return visit.fragment("job_now.html", job=_job(visit))


def stop(visit: Visit) -> Response:
    """Have a job end between two calls."""
    job = _job(visit)
    if not visit.may("operator"):
        raise Refused("This needs the role operator.", status=403)
    job.stop()
    return visit.redirect(f"/invocations/-/jobs/{job.key}")


def statuses_of(deed: Deed, status: str) -> tuple[str, ...]:
    """Return the statuses that something is done to: the one of the filter, or those that it is usually meant for.

    Raises:
        BadAddress: it cannot be done to that status.
    """
    fit, usual = (OUTCOMES, ("failed",)) if deed == "replay" else (PENDING, PENDING)
    if not status:
        return usual
    if status not in fit:
        what = "replayed: it has no outcome yet" if deed == "replay" else "cancelled: it has an outcome"
        raise BadAddress(f"What is {status} cannot be {what}. Choose one of {', '.join(fit)}.")
    return (status,)


def _read(given: dict[str, str]) -> tuple[Deed, Filters]:
    filters = read_filters(given, *OTHERS)
    if filters.problems:
        raise BadAddress(" ".join(filters.problems.values()))
    for deed in DEEDS:
        if given.get("do") == deed:
            return deed, filters
    raise BadAddress(f"Say what is to be done: {' or '.join(DEEDS)}.")


def _asked(filters: Filters, moment: datetime) -> dict[str, str]:
    """Return the filters without the status, with an end: what is accepted from now on was not counted."""
    asked = {"until": iso(moment), **filters.asked(moment)}
    return {name: text for name, text in asked.items() if name != "status"}


def _count(visit: Visit, asked: dict[str, str]) -> int:
    found: dict[str, Any] = visit.ask("zato.invocation.count", asked)
    return int(found["count"])


def _job(visit: Visit) -> Job:
    job = visit.jobs.get(visit.request.path_params["key"])
    if job is None:
        raise BadAddress(
            "There is no such job here, or no more: they are kept for an hour, and not beyond the end of the web "
            "admin. What it did is done; begin it again for the rest."
        )
    return job


routes = [
    page("/invocations/-/all", ask),
    page("/invocations/-/all", begin, methods=["POST"]),
    page("/invocations/-/jobs/{key}", show),
    page("/invocations/-/jobs/{key}/stop", stop, methods=["POST"]),
    live("/live/job/{key}", now, every=1.0),
]
