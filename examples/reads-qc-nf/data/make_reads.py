#!/usr/bin/env python3
"""Makes the test data: reads with adapters, duplicates and bad ends whose number is known.

    python3 data/make_reads.py            write data/*.fastq.gz
    python3 data/make_reads.py --check    compare what they hold with what would be written; exit code 1 if it differs
"""

import gzip
import random
import sys
from pathlib import Path

SEED = 2008  # the year in which Illumina's Genome Analyzer II came out
ADAPTER = "AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC"
LENGTH = 100
HERE = Path(__file__).resolve().parent

# sample: reads, share of GC, reads that run into the adapter, reads that are copies, reads that are bad from the start
LIBRARIES = {
    "good": (1000, 0.50, 30, 20, 5),
    "degraded": (1000, 0.42, 400, 150, 60),
}


def main():
    rng = random.Random(SEED)
    files = {HERE / f"{sample}.fastq.gz": "".join(fastq(rng, sample, library)) for sample, library in LIBRARIES.items()}
    return check(files) if "--check" in sys.argv[1:] else write(files)


def fastq(rng, sample, library):
    reads, gc, adapters, copies, bad = library
    originals = [read(rng, gc, index < adapters) for index in range(reads - copies)]
    # Copies are of reads without adapter, so that the number of adapters stays what it is.
    made = originals + [originals[adapters + int(rng.random() * (len(originals) - adapters))] for _ in range(copies)]
    order = sorted(range(len(made)), key=lambda _: rng.random())
    for number, index in enumerate(order, 1):
        # Neither a copy nor a read with an adapter is bad: each read counts once.
        is_bad = adapters <= index < adapters + bad
        yield f"@{sample}.{number}\n{made[index]}\n+\n{qualities(rng, is_bad)}\n"


def read(rng, gc, has_adapter):
    bases = "".join(base(rng, gc) for _ in range(LENGTH))
    if not has_adapter:
        return bases
    insert = 45 + int(rng.random() * 40)
    tail = bases[insert + len(ADAPTER) :]
    return (bases[:insert] + ADAPTER + tail)[:LENGTH]


def base(rng, gc):
    if rng.random() < gc:
        return "G" if rng.random() < 0.5 else "C"
    return "A" if rng.random() < 0.5 else "T"


def qualities(rng, is_bad):
    """Four bins, as recent machines write them; the last cycles are worse, a bad read is bad from its 20th base on."""
    drop = 20 if is_bad else 75 + int(rng.random() * 40)
    return "".join(letter(rng.random(), cycle >= drop) for cycle in range(LENGTH))


def letter(chance, is_low):
    if is_low:
        return "#" if chance < 0.7 else ","
    return "F" if chance < 0.95 else ":"


def write(files):
    for path, text in files.items():
        # No time and no name in the header: the same reads give the same file.
        path.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    return 0


def check(files):
    different = [path for path, text in files.items() if held(path) != text.encode("ascii")]
    for path in different:
        print(f"{path} does not hold what make_reads.py writes", file=sys.stderr)
    return 1 if different else 0


def held(path):
    return gzip.decompress(path.read_bytes()) if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
