"""Who may do what: five roles for people, each the commands that it needs and what consoles need beside them."""

from infra.rights import ANYWHERE, EVERYBODY, NEEDS, Rights, may, reads

ROLES = ("marketer", "analyst", "support", "operator", "administrator")

# They ask AWS for nothing, or for what the caller's other rights allow.
OFFLINE = tuple(name for name, rights in NEEDS.items() if not rights)

_marketer = (
    "alerts", "apply", "approvals", "approve", "blocks", "context import", "context list", "context remove", "context set",
    "links source close", "links source list", "models show", "plan", "quota", "report", "sends", "sources", "tag add",
    "tag list", "tag remove", "versions",
)  # fmt: skip
_analyst = ("alerts", "models fit", "models show", "report", "versions")
_support = (
    "customer",
    "explain",
    "export",
    "links list",
    "links review",
    "links show",
    "links undo",
    "tag list",
)
_operator = (
    "alerts", "approvals", "audit", "backups list", "blocks", "dlq list", "dlq replay", "dlq replays", "doctor", "import", "measure", "quota",
    "quota --recount", "rejects discard", "rejects fix", "rejects list", "rejects replay", "report", "resume", "sends",
    "sources", "sources --accept", "stop", "unknown list", "unknown resolve", "versions",
)  # fmt: skip

COMMANDS: dict[str, tuple[str, ...]] = {
    "marketer": _marketer,
    "analyst": _analyst,
    "support": _support,
    "operator": _operator,
    "administrator": tuple(name for name in NEEDS if name not in OFFLINE),
}
"""Role → its commands, beside those that need nothing of AWS."""

_logs = may("logs:FilterLogEvents", "logs") | may("lambda:GetFunctionConfiguration", "functions")
_metrics = may("cloudwatch:GetDashboard", "dashboard") | may(
    "cloudwatch:GetMetricData,GetMetricStatistics", ANYWHERE
)
_lake = (
    may("glue:GetDatabase,GetTables,GetTable,GetPartitions", "catalog")
    | may("athena:StartQueryExecution,StopQueryExecution,GetQueryExecution,GetQueryResults", "workgroup")
    | reads("athena/")
    | may("s3:PutObject", "athena/")
    | may("s3:GetBucketLocation", "")
)
BESIDE: dict[str, Rights] = {
    "analyst": reads("results/", "kpis/") | _lake,
    "marketer": reads("results/"),
    "operator": _logs | _metrics | may("lambda:InvokeFunction", "tick"),
    "administrator": _logs
    | may("secretsmanager:GetSecretValue,PutSecretValue,DescribeSecret", "erasure", "ingest", "line", "link"),
}
"""What a role may beside its commands: Athena, logs, what the runbook does by hand, and the rotating of keys."""


def rights_of(role: str) -> Rights:
    """All that a role may."""
    commands = (NEEDS[command] for command in COMMANDS[role])
    return EVERYBODY.union(BESIDE.get(role, frozenset()), *commands)


def roles_of(command: str) -> tuple[str, ...]:
    """Who may use a command; everybody where it asks AWS for nothing."""
    if command in OFFLINE:
        return ROLES
    return tuple(role for role in ROLES if command in COMMANDS[role])
