"""The description of the HTTP API against the template: each route is described, each described route exists."""

from ops.openapi.document import document
from tests.fuzz.front_door import ROUTES
from tests.infra.conftest import Template

OPEN_END = "/link/{page+}"


def _routes(template: Template) -> set[tuple[str, str]]:
    """Method and path; the pages' open end as `/link/`."""
    keys = [
        resource["Properties"]["RouteKey"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    ]
    return {(key.split()[0], key.split()[1].replace(OPEN_END, "/link/")) for key in keys}


def test_every_route_is_described_and_every_described_route_exists(template: Template) -> None:
    described = {
        (method.upper(), "/link/" if path.startswith("/link/") else path)
        for path, methods in document()["paths"].items()
        for method in methods
    }
    assert described == _routes(template)


def test_the_fuzzers_front_door_has_the_routes_of_the_template(template: Template) -> None:
    assert set(ROUTES) == {(method, path.replace("{token}", "")) for method, path in _routes(template)}
