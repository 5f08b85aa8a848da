"""What one process counts of its event path, for people who watch it."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Tallies:
    """Counts since the process started. Written by one thread each, read by any."""

    numbered: int = 0  # events that this process's sequencer moved into the log
    handed_out: int = 0  # events that its hub handed out
    gaps_healed: int = 0  # stretches that no doorbell brought, read from the log
    fell_behind: int = 0  # readers whose queue was full
    too_slow: int = 0  # readers that were ended because they took nothing
    rejoined: int = 0  # times that it joined the group of processes again
    sequencer_errors: int = 0
    hub_errors: int = 0
    clock_errors: int = 0
    relay_errors: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)
