"""The pages, a file for each. Every file has `routes`."""

from collections.abc import Sequence

from starlette.routing import Route

from zato.web_admin.pages import (
    audit,
    bulk,
    invocation,
    invocations,
    invoker,
    log_in,
    me,
    overview,
    people,
    servers,
    service,
    services,
)

__all__ = ["ROUTES"]

ROUTES: Sequence[Route] = (
    *log_in.routes,
    *overview.routes,
    *servers.routes,
    *services.routes,
    *service.routes,
    *invoker.routes,
    *invocations.routes,
    *bulk.routes,
    *invocation.routes,
    *people.routes,
    *audit.routes,
    *me.routes,
)
