"""CloudWatch metrics as lines of the log (embedded metric format): no request, and nothing to wait for."""

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Musubi"


class LogMeasures:
    """Metrics of one function of one stack, told apart by `service`: the stack's schedule group bears the stack's name."""

    def __init__(self, stack: str) -> None:
        self._stack = stack

    def count(self, name: str, number: int) -> None:
        """Say how many there are now."""
        with single_metric(name=name, unit=MetricUnit.Count, value=number, namespace=NAMESPACE) as metric:
            metric.add_dimension(name="stack", value=self._stack)
