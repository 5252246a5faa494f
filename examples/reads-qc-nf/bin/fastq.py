"""Reading FASTQ, for the scripts beside this file."""

import gzip
import sys


def records(path):
    """(name, bases, qualities as numbers) of each read; ends the program with the place of what is no FASTQ."""
    with open(path, "rb") as file:
        is_compressed = file.read(2) == b"\x1f\x8b"
    with (gzip.open if is_compressed else open)(path, "rt", encoding="ascii") as lines:
        for number, header in enumerate(lines):
            bases, plus, qualities = (next(lines, "").rstrip("\n") for _ in range(3))
            if not header.startswith("@") or not plus.startswith("+") or len(bases) != len(qualities):
                sys.exit(f"{path}: line {number * 4 + 1} begins no FASTQ record")
            yield header[1:].rstrip("\n"), bases, [ord(letter) - 33 for letter in qualities]


def adapter_begins(bases, adapter, least=8):
    """Where the adapter begins in the read, by its first bases without an error; the read's length where it does not."""
    at = bases.find(adapter)
    if at >= 0:
        return at
    for begin in range(max(0, len(bases) - len(adapter) + 1), len(bases) - least + 1):
        if adapter.startswith(bases[begin:]):
            return begin
    return len(bases)
