"""What AWS asks in Tokyo (ap-northeast-1), in US dollars, and the few latencies that a bill depends on."""

from typing import Final

AS_OF: Final = "2026-09"
"""The month of the prices: check them on AWS's pages before you quote them."""
REGION_NAME: Final = "Tokyo"
SOURCE: Final = "AWS's public price pages, on demand, without free tiers and tax"

MILLION: Final = 1_000_000
WRITE_UNITS_MILLION: Final = 0.715
READ_UNITS_MILLION: Final = 0.1425
SQS_REQUESTS_MILLION: Final = 0.40
LAMBDA_REQUESTS_MILLION: Final = 0.20
LAMBDA_GB_SECOND: Final = 0.0000133334
"""On arm64."""
HTTP_REQUESTS_MILLION: Final = 1.29
S3_PUTS_MILLION: Final = 4.7
S3_GETS_MILLION: Final = 0.37
LOGS_GB: Final = 0.76

MEMORY_MB: Final = 512
"""What a function is given (infra/function.py)."""
MEMORY_MB_OF_ONE_VCPU: Final = 1769
"""Lambda gives processor time in proportion to memory: so many MB are one vCPU."""
INVOCATION_LINE_BYTES: Final = 750
"""The line that an invocation writes (functions/invocation.py) where it names ten messages; Lambda itself writes none."""

LINE_MS: Final = 100.0
"""One call to LINE, as far as a bill goes: assumed."""
DYNAMODB_MS: Final = 5.0
"""One call to DynamoDB from a Lambda of its region: assumed."""
S3_MS: Final = 20.0
"""One call to S3 from a Lambda of its region: assumed."""

STORAGE_GB_MONTH: Final = 0.285
BACKUP_GB_MONTH: Final = 0.228
"""DynamoDB: a GB kept for a month, and the same again for point-in-time recovery."""

S3_GB_MONTH: Final = 0.025
KMS_KEY_MONTH: Final = 1.0
SECRET_MONTH: Final = 0.40
ALARM_MONTH: Final = 0.10
METRIC_MONTH: Final = 0.30
DASHBOARD_MONTH: Final = 3.0
"""A customer-managed key, a secret, an alarm on one metric, a metric of our own, a dashboard: each for a month, used or not."""
TRACES_MILLION: Final = 5.0
"""X-Ray's, recorded."""
