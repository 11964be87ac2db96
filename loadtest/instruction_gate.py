"""The file of ceilings that `loadtest/instructions --gate` holds its counts against: one line per
shape and architecture, `ARCHITECTURE SHAPE PROMPT_BYTES CEILING`; `#` begins a comment."""

import dataclasses

# What a count may grow by before the gate closes: counts of one build are within half a per cent
# of each other, libraries of the next patch release within one or two.
ROOM = 0.03


@dataclasses.dataclass(frozen=True)
class Ceiling:
    architecture: str
    shape: str
    prompt: int
    instructions: int

    @property
    def name(self):
        return f"{self.shape} {self.prompt}"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One shape's count, instructions per unit, against its ceiling."""

    name: str
    unit: str
    count: float
    ceiling: int

    @property
    def passes(self):
        return self.count <= self.ceiling

    def __str__(self):
        away = abs(1 - self.count / self.ceiling)
        side = "under" if self.passes else "OVER"
        return (
            f"{self.name:14} {self.count:9.0f} instructions per {self.unit:8}"
            f"{away:6.1%} {side} the ceiling of {self.ceiling}")


def parse(text):
    """The ceilings of a gate file; `ValueError` names the line that is none."""
    ceilings = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            architecture, shape, prompt, instructions = words
            ceiling = Ceiling(architecture, shape, int(prompt), int(instructions))
        except ValueError:
            raise ValueError(
                f"line {number}: not ARCHITECTURE SHAPE PROMPT_BYTES CEILING") from None
        if ceiling.instructions <= 0:
            raise ValueError(f"line {number}: a ceiling is above 0")
        ceilings.append(ceiling)
    if not ceilings:
        raise ValueError("the file has no ceiling: it could not fail")
    return ceilings


def rewritten(text, counts, comment):
    """The same file with new ceilings, `ROOM` above `counts`: instructions by
    `(architecture, shape, prompt)`. Lines of other architectures stay; `comment` replaces what
    the file said of how the counts of this one were taken."""
    lines, marks = [], {f"# {architecture}:" for architecture, _, _ in counts}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if any(line.startswith(mark) for mark in marks):
            continue
        key = (words[0], words[1], int(words[2])) if words else None
        if key in counts:
            line = f"{key[0]} {key[1]} {key[2]} {round(counts[key] * (1 + ROOM))}"
        lines.append(line)
    # Behind the comment that the file begins with.
    place = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    for mark in sorted(marks, reverse=True):
        lines.insert(place, f"{mark} {comment}")
    return "\n".join(lines) + "\n"
