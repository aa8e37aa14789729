"""The picture of an address: a QR code, for screens and for print."""

from pathlib import Path

import segno

from ops.errors import UserError

PIXELS_A_MODULE = 12
ERROR_CORRECTION = "m"
"""15 % may be dirty or torn: a poster's share, while the modules stay large."""


def write_pictures(directory: Path, name: str, url: str) -> list[Path]:
    """NAME.png and NAME.svg in the directory. UserError where it cannot be written to."""
    code = segno.make(url, error=ERROR_CORRECTION, micro=False)
    paths = [directory / f"{name}.{form}" for form in ("png", "svg")]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in paths:
            code.save(str(path), scale=PIXELS_A_MODULE)
    except OSError as error:
        raise UserError(f"{directory} cannot be written to: {error.strerror}.") from None
    return paths
