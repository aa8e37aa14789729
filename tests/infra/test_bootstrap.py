"""The CDK's bootstrap that `musubi doctor` asks for is the one that the template asks for."""

import json

from ops.doctor.in_aws import BOOTSTRAP_MIN
from tests.infra.conftest import Template


def test_the_bootstrap_that_is_asked_for_is_the_templates(template: Template) -> None:
    asserted = json.dumps(template["Rules"]["CheckBootstrapVersion"])
    assert f'"{BOOTSTRAP_MIN - 1}"' in asserted
    assert f'"{BOOTSTRAP_MIN}"' not in asserted
