"""docs/http.md is what the routes say of themselves, and leaves none out."""

from __future__ import annotations

import re

from ecom_lite.dashboards import http_docs


def test_the_page_of_the_http_api_is_current() -> None:
    written = http_docs.PAGE.read_text("utf-8")
    assert written == http_docs.render(http_docs.routes()), "run python -m ecom_lite.dashboards.http_docs"


def test_what_a_shell_would_read_as_its_own_is_quoted() -> None:
    for example in http_docs.EXAMPLES:
        assert not re.search(r"(?<!')\bhttp://\S*[?&*]", example.curl()), example.curl()


def test_every_route_and_method_is_explained_and_has_a_request() -> None:
    routes = http_docs.routes()
    taken = {(method, route.path) for route in routes for method in (route.methods or set()) - {"HEAD"}}
    assert {(example.method, example.route) for example in http_docs.EXAMPLES} == taken
    for route in routes:
        said = route.endpoint.__doc__ or ""
        statuses = [str(example.status) for example in http_docs.EXAMPLES if example.route == route.path]
        assert statuses and all(status in said for status in statuses), route.path
