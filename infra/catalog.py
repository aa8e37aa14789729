"""The lake's tables in the Glue catalog, so that Athena reads the very files that DuckDB reads.

Columns and places come from the published schemas (docs/*.schema.json), which tests hold to the code. Partitions are
projected from the dates in the keys: nobody has to add one, and no crawler runs.
"""

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.bundle import ROOT
from infra.objects import Objects

SCHEMAS = tuple(ROOT / "docs" / name for name in ("facts.schema.json", "derived.schema.json"))
# Imports bring history; a query that names no day asks S3 for each day from here on.
FIRST_DAY = "2015-01-01"
_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquet"


class Catalog(Construct):
    """One database a deployment, of a name that Athena takes without quotes."""

    def __init__(
        self, scope: Construct, construct_id: str, *, objects: Objects, key: kms.IKey, name: str
    ) -> None:
        super().__init__(scope, construct_id)
        self._objects = objects
        self.name = name
        self._tables: list[str] = []
        self._workgroup(key)
        self._database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.name, description="Musubi: facts, and what is derived from them"
            ),
        )
        for path in SCHEMAS:
            for table, told in json.loads(path.read_text(encoding="utf-8"))["tables"].items():
                self._table(table, told)

    @property
    def workgroup_arn(self) -> str:
        """Where analysts ask; its name is the stack's."""
        return self._arn("athena", f"workgroup/{cdk.Aws.STACK_NAME}")

    def arns(self) -> list[str]:
        """The catalog, the database and its tables: Glue asks for the right to all three."""
        tables = [self._arn("glue", f"table/{self.name}/{table}") for table in self._tables]
        return [self._arn("glue", "catalog"), self._arn("glue", f"database/{self.name}"), *tables]

    def _arn(self, service: str, rest: str) -> str:
        return f"arn:{cdk.Aws.PARTITION}:{service}:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:{rest}"

    def _workgroup(self, key: kms.IKey) -> None:
        """Answers go under a prefix of our own bucket, encrypted with our key, whatever the caller asks for."""
        athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=cdk.Aws.STACK_NAME,
            description="Musubi: questions to the facts",
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self._objects.bucket.bucket_name}/athena/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )

    def _table(self, name: str, told: dict[str, Any]) -> None:
        self._tables.append(name)
        home = told["files"].partition("day=")[0]
        place = f"s3://{self._objects.bucket.bucket_name}/{home}"
        table = glue.CfnTable(
            self,
            f"Table{name.capitalize()}",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_name=self.name,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                description=told["meaning"],
                table_type="EXTERNAL_TABLE",
                parameters={
                    "classification": "parquet",
                    "projection.enabled": "true",
                    "projection.day.type": "date",
                    "projection.day.format": "yyyy-MM-dd",
                    # A day begins in Tokyo before it does in UTC.
                    "projection.day.range": f"{FIRST_DAY},NOW+1DAYS",
                    "storage.location.template": f"{place}day=${{day}}/",
                },
                partition_keys=[glue.CfnTable.ColumnProperty(name="day", type="date")],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=place,
                    columns=[_column(column) for column in told["columns"]],
                    input_format=f"{_FORMAT}InputFormat",
                    output_format=f"{_FORMAT}OutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=_SERDE),
                ),
            ),
        )
        table.node.add_dependency(self._database)


def database_name(stack: cdk.Stack, account: cdk.CfnParameter, *, settled: bool) -> str:
    """A settled deployment's stack name, as `musubi_prod_shop`. One template may be deployed under several names, as on one
    machine: then the account tells them apart, as `musubi_main`."""
    if settled:
        return stack.stack_name.lower().replace("-", "_")
    return cdk.Fn.join("_", [stack.stack_name.lower(), account.value_as_string])


def _column(told: dict[str, Any]) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(
        name=told["name"], type=told["type"], comment=told["meaning"][:255] or None
    )
