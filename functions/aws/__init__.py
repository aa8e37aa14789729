"""The only place that knows boto3: tables, queues, objects, schedules, secrets."""
