"""AWS's own rules for solutions."""

from pathlib import Path

import aws_cdk as cdk
import cdk_nag

from infra.app import build_app


def test_the_stack_answers_every_finding_of_cdk_nag(tmp_path: Path) -> None:
    """Each finding is mended or acknowledged with its reason; synthesis fails on any other."""
    app, _ = build_app(str(tmp_path))
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    app.synth()
    assert (tmp_path / "Musubi.template.json").exists()
