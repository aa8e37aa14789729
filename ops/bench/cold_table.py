"""What was found of cold starts, as people read it; Markdown."""

from ops.bench.cold import CEILINGS, Found


def table(found: Found) -> str:
    """Function by function: processor time of each step, modules, and memory after each; the baselines beneath."""
    head = (
        "function", "import, above boto3's", "without bytecode", "modules", "wiring", "first call", "cold in all",
        "a warm call", "MB imported / wired / at most", "ceilings: × boto3, modules, MB",
    )  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, one in found.starts.items():
        ceiling, ratio = CEILINGS[name], one.import_ms / one.boto3_ms
        called = one.warm_ms > 0
        cells = (
            name, f"{one.import_ms:.0f} ms ({ratio:.2f} × boto3)", f"{one.plain_ms:.0f} ms", str(one.modules),
            f"{one.wiring_ms:.0f} ms" if called else "–", f"{one.first_ms:.0f} ms" if called else "–",
            f"{one.cold_ms:.0f} ms", f"{one.warm_ms:.1f} ms" if called else "–",
            f"{one.import_mb:.0f} / {one.wiring_mb:.0f} / {one.peak_mb:.0f}" if called else f"{one.import_mb:.0f}",
            f"{ceiling.ratio:g} ×, {ceiling.modules:,}, {ceiling.mb:g}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    told = "; ".join(f"{name} {ms:.0f} ms, {mb:.0f} MB" for name, (ms, mb) in found.baselines.items())
    return "\n".join([*lines, "", f"Baselines in the same run, each a process of its own: {told}."])
