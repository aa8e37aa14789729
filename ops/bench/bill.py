"""From counted work to dollars: what a million messages, or events, cost by the price table."""

from typing import Final

import msgspec

from ops.bench import prices

BYTES_GB: Final = 1e9


class Work(msgspec.Struct, frozen=True):
    """What one message, or event, takes, in units of each price; an invocation that serves ten is a tenth of one.

    `refresh_units`: read units of a worker's caches, its share of them.
    """

    write_units: float = 0.0
    read_units: float = 0.0
    refresh_units: float = 0.0
    sqs_requests: float = 0.0
    invocations: float = 0.0
    billed_ms: float = 0.0
    log_bytes: float = 0.0
    http_requests: float = 0.0
    s3_puts: float = 0.0
    s3_gets: float = 0.0


class Bill(msgspec.Struct, frozen=True):
    """Dollars a million, part by part."""

    writes: float
    reads: float
    queue: float
    requests: float
    duration: float
    logs: float
    http: float
    objects: float

    @property
    def total(self) -> float:
        """All parts."""
        return float(sum(msgspec.structs.astuple(self)))


def billed_ms(cpu_ms: float, line_waits: float, dynamodb_calls: float, s3_calls: float = 0.0) -> float:
    """What Lambda bills an invocation for: processor time at the function's share of a vCPU, and its waits in a row."""
    share = min(1.0, prices.MEMORY_MB / prices.MEMORY_MB_OF_ONE_VCPU)
    waits = line_waits * prices.LINE_MS + dynamodb_calls * prices.DYNAMODB_MS + s3_calls * prices.S3_MS
    return cpu_ms / share + waits


def bill_of(work: Work) -> Bill:
    """Dollars for a million times this work."""
    gigabyte_seconds = prices.MEMORY_MB / 1024 * work.billed_ms / 1000
    log_bytes = work.log_bytes + work.invocations * prices.INVOCATION_LINE_BYTES
    return Bill(
        writes=work.write_units * prices.WRITE_UNITS_MILLION,
        reads=(work.read_units + work.refresh_units) * prices.READ_UNITS_MILLION,
        queue=work.sqs_requests * prices.SQS_REQUESTS_MILLION,
        requests=work.invocations * prices.LAMBDA_REQUESTS_MILLION,
        duration=prices.MILLION * gigabyte_seconds * prices.LAMBDA_GB_SECOND,
        logs=prices.MILLION * log_bytes / BYTES_GB * prices.LOGS_GB,
        http=work.http_requests * prices.HTTP_REQUESTS_MILLION,
        objects=work.s3_puts * prices.S3_PUTS_MILLION + work.s3_gets * prices.S3_GETS_MILLION,
    )
