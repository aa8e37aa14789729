"""A colour for each scenario and campaign, the same in every report: told apart by the colour-blind too."""

from functions.domain.playbook import Playbook

PALETTE = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc6677",
    "#56b4e9",
    "#882255",
    "#999933",
    "#44aa99",
    "#6b4c9a",
    "#a5673f",
    "#d55e00",
    "#332288",
)
"""Okabe and Ito's, and Tol's muted ones that keep apart from them."""
OTHERS = "#8c959f"
GOOD, BAD, PLAIN, INK, FAINT = "#0072b2", "#d55e00", "#5b6b7b", "#1f2933", "#dfe4ea"
"""Blue and vermilion differ for everybody; green and red do not."""


def colours_of(playbook: Playbook) -> dict[str, str]:
    """Name → colour: what is on first, by who goes first; what comes after the palette's end is grey."""
    sources = [(not one.on, one.rank, name) for name, one in playbook.scenarios.items()]
    sources += [(not one.on, one.rank, name) for name, one in playbook.campaigns.items()]
    return {
        name: PALETTE[place] if place < len(PALETTE) else OTHERS
        for place, (_, _, name) in enumerate(sorted(sources))
    }
