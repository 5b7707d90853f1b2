"""Routes that decide and do nothing else: they get the request as it is.

FastAPI takes longer to solve a route's dependencies (50 µs and more) than such a decision takes. So these routes ask
for the caller by themselves, and what they declare of it is for /openapi.json alone.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from api.auth import bearer


class DecisionRoute(APIRoute):
    """Its endpoint takes a Request and nothing else. It has to call auth.authenticate()."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint


def decision_router(*tags: str, include_in_schema: bool = True) -> APIRouter:
    """A router of such routes, which /docs shows with a lock."""
    return APIRouter(
        tags=list(tags),
        include_in_schema=include_in_schema,
        route_class=DecisionRoute,
        default_response_class=Response,
        dependencies=[Depends(bearer)],
    )
