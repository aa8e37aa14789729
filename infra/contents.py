"""What each of the three Lambda bundles holds beside functions/, why, and what of it is left out.

Every top-level package has its reason here; one that has none fails tests/infra/test_bundle.py. What is spared is never
imported by a function, which the same tests try on the bundle itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent

_LOGGER: Final = "Powertools imports it"
_TOP: Final = {
    "functions": "ours",
    "aws_lambda_powertools": "the one line an invocation, measures, partial batches; without its event handler",
    "jmespath": _LOGGER,
    "msgspec": "JSON to domain values and back",
    "typing_extensions": _LOGGER,
    "tzdata": "customers' zones; Lambda's system has no zone files that it promises",
}
# What a package brings for compilers, editors and its own tests; and the list of what was installed where it was, by which the
# same release would be another bundle on another machine, and every function would change with it.
_NEVER: Final = ("*.pyi", "*.pyx", "*.pxd", "*.pxi", "*.c", "*.h", "*.cc", "*/tests/*", "*.dist-info/RECORD")
_POWERTOOLS: Final = ("aws_lambda_powertools/event_handler/*",)


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle beside functions/: the locked dependencies, without what is `spared` of them (globs).

    `packages`: each top-level name and why it is there. `bytecode`: whether the compiled form goes along.
    """

    name: str
    lock: Path
    spared: tuple[str, ...]
    packages: Mapping[str, str]
    bytecode: bool = True


CORE = Contents(
    "",
    ROOT / "requirements" / "functions.txt",
    (*_NEVER, *_POWERTOOLS),
    {
        **_TOP,
        "jinja2": "messages' variables and the pages of `link`",
        "markupsafe": "Jinja imports it",
        "itsdangerous": "signed tokens",
        "urllib3": "HTTP to LINE",
        "certifi": "the authorities that HTTP to LINE trusts",
    },
)

# Of pyarrow what only Flight, S3 and compilers need, copies of one library, and other formats than Parquet.
FILES = Contents(
    "files-",
    ROOT / "requirements" / "load.txt",
    (
        *_NEVER, *_POWERTOOLS,
        "pyarrow/include/*", "pyarrow/src/*", "pyarrow/tests/*", "pyarrow/includes/*", "pyarrow/*flight*",
        "pyarrow/*_s3*", "pyarrow/*.so.*.*.*", "pyarrow/libarrow_python.so",
        "pyarrow/_orc*", "pyarrow/_gcsfs*", "pyarrow/_azurefs*", "pyarrow/_hdfs*",
        "pyarrow/_dataset*", "pyarrow/_acero*", "pyarrow/_substrait*", "pyarrow/_feather*", "pyarrow/_csv*",
        "pyarrow/_json*", "pyarrow/_pyarrow_cpp_tests*",
    ),
    {**_TOP, "pyarrow": "Parquet; its libraries are linked to one another, so that none can be left out"},
)  # fmt: skip

# What SciPy and NumPy are tested and compiled against with, and SciPy's parts that statistics do not reach. No bytecode:
# nobody waits for the night's measuring, and with it the bundle would be as big as Lambda takes (250 MB).
MEASURE = Contents(
    "measure-",
    ROOT / "requirements" / "measure.txt",
    (
        *_NEVER, *_POWERTOOLS,
        "*/_pyinstaller/*", "numpy/_core/include/*", "numpy/_core/lib/*", "adbc_driver_duckdb/*",
        *(f"scipy/{part}/*" for part in ("cluster", "datasets", "differentiate", "fftpack", "io", "misc", "odr", "signal")),
    ),
    {
        **_TOP,
        "duckdb": "SQL over the lake",
        "_duckdb": "DuckDB itself",
        "numpy": "arrays of the statistics and models",
        "numpy.libs": "its linear algebra",
        "scipy": "distributions, roots, special functions",
        "scipy.libs": "its linear algebra",
    },
    bytecode=False,
)  # fmt: skip


def package_of(name: str) -> str:
    """The top-level package of a file of a bundle, `dist-info` for the metadata of all of them."""
    top, _, within = name.removeprefix("__pycache__/").partition("/")
    if top.endswith(".dist-info"):
        return "dist-info"
    return top if within else top.partition(".")[0]
