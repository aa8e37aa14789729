"""The bucket: playbook versions, frozen recipient lists of runs, files to load, rejected events,
reports of scans and loads, why messages died, the audit of replays."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledged import acknowledge
from infra.parameters import Parameters
from infra.transport import only_where

NOTES_KEPT_DAYS = 90
# What was told wrongly may be told nowhere else: it waits until somebody mends it or gives it up, and is asked for after a
# month (functions/evaluate/audit.py).
REJECTED_KEPT_DAYS = 400
# Who did what: for the yearly review.
AUDITS_KEPT_DAYS = 400
# What was dropped for loading is in the customers' history by then.
FILES_KEPT_DAYS = 30
# Bounds how long an erased person can still be read in an old version.
OLD_VERSIONS_KEPT_DAYS = 30
MEASURED_VERSIONS_KEPT_DAYS = 3
# Whoever wants a day's results has them by then (functions/measure/results.py says the same).
RESULTS_KEPT_DAYS = 30
# What Athena answered can be asked again.
ANSWERS_KEPT_DAYS = 7
# As far back as point-in-time recovery goes; their old versions, of which there are none, would add to it.
BACKUPS_KEPT_DAYS = 35
# A year is what a monthly report looks back on.
ALERTS_KEPT_DAYS = 400


class Objects(Construct):
    """One private, versioned bucket; what is only read for a while ages out."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, parameters: Parameters) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            enforce_ssl=True,
            lifecycle_rules=_lifecycle(),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        acknowledge(
            self.bucket,
            "S1",
            "only this stack's functions reach it, and CloudTrail data events tell who did without a second bucket",
        )
        only_where(parameters.tls_only, self.bucket.policy)


def _lifecycle() -> list[s3.LifecycleRule]:
    return [
        *(
            s3.LifecycleRule(id=name, prefix=f"{name}/", expiration=cdk.Duration.days(NOTES_KEPT_DAYS))
            for name in ("backfills", "batches", "failures", "loads", "insight", "incoming-errors")
        ),
        s3.LifecycleRule(id="rejected", prefix="rejected/", expiration=cdk.Duration.days(REJECTED_KEPT_DAYS)),
        s3.LifecycleRule(id="audits", prefix="audits/", expiration=cdk.Duration.days(AUDITS_KEPT_DAYS)),
        s3.LifecycleRule(id="athena", prefix="athena/", expiration=cdk.Duration.days(ANSWERS_KEPT_DAYS)),
        s3.LifecycleRule(id="results", prefix="results/", expiration=cdk.Duration.days(RESULTS_KEPT_DAYS)),
        s3.LifecycleRule(id="backups", prefix="backups/", expiration=cdk.Duration.days(BACKUPS_KEPT_DAYS)),
        s3.LifecycleRule(id="alerts", prefix="alerts/", expiration=cdk.Duration.days(ALERTS_KEPT_DAYS)),
        s3.LifecycleRule(id="incoming", prefix="incoming/", expiration=cdk.Duration.days(FILES_KEPT_DAYS)),
        # What is merged or derived anew every day leaves an old version behind: a few days are enough to go back to.
        *(
            s3.LifecycleRule(
                id=f"old-{prefix.rstrip('/').replace('/', '-')}",
                prefix=prefix,
                noncurrent_version_expiration=cdk.Duration.days(MEASURED_VERSIONS_KEPT_DAYS),
                expired_object_delete_marker=True,
            )
            for prefix in ("facts/raw/", "derived/", "measure/", "results/", "backups/")
        ),
        s3.LifecycleRule(
            id="old-versions",
            noncurrent_version_expiration=cdk.Duration.days(OLD_VERSIONS_KEPT_DAYS),
            abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
        ),
    ]
