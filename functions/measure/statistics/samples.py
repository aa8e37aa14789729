"""What all tests need of a group of people: how many, and the sum and the sum of squares of what was measured."""

import math

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """One group, one number a person. `total`: the sum; `squares`: the sum of squares. Of yes or no both are the number
    of those who did."""

    people: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """The mean a person; 0 where there is nobody."""
        return self.total / self.people if self.people else 0.0

    @property
    def variance(self) -> float:
        """The unbiased variance a person; 0 where there are fewer than two."""
        if self.people <= 1:
            return 0.0
        return max(0.0, (self.squares - self.total * self.mean) / (self.people - 1))

    @property
    def deviation(self) -> float:
        """The standard deviation a person."""
        return math.sqrt(self.variance)


def yes_or_no(people: int, yes: int) -> Sample:
    """The sample of a question that so many of these people answered with yes."""
    return Sample(people, float(yes), float(yes))
