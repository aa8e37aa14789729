"""All mistakes on purpose, by name."""

from collections.abc import Mapping

from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants_choosing import CHOOSING
from tests.simulation.mutants_deciding import DECIDING
from tests.simulation.mutants_multicast import MULTICAST_MUTANTS
from tests.simulation.mutants_offices import OFFICES
from tests.simulation.run import Mutation

EVERY_MUTANT: Mapping[str, Mutation] = {**MUTANTS, **DECIDING, **CHOOSING, **OFFICES, **MULTICAST_MUTANTS}
