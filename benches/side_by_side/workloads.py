"""What is measured: three workloads, both ways, saturated and paced."""

import dataclasses

PACED = 50_000
SHAPES = {
    "heavy": {"flows": 1, "size": 1100, "burst": 32},
    "video": {"flows": 64, "size": 1100, "burst": 8},
    "audio": {"flows": 1000, "size": 160, "burst": 1},
}


@dataclasses.dataclass
class Workload:
    name: str
    load: str
    direction: str

    @property
    def options(self) -> list[str]:
        """For `relayhouse bench`."""
        shape = [f"--{name}={value}" for name, value in SHAPES[self.name].items()]
        return [*shape, f"--direction={self.direction}", f"--rate={PACED if self.load == 'paced' else 0}"]


WORKLOADS = [
    Workload(name, load, direction)
    for load in ("saturated", "paced") for name in SHAPES for direction in ("up", "down")
]
