#!/usr/bin/env python3
"""Cuts adapters and ends of low quality off reads, and drops what becomes too short. Reads go to stdout."""

import argparse
import json
import sys

from fastq import adapter_begins, records


def main():
    options = arguments()
    counts = {"sample": options.sample, "stage": "trimming", "reads": 0, "with_adapter": 0, "too_short": 0, "bases_cut": 0}
    for name, bases, qualities in records(options.fastq):
        counts["reads"] += 1
        insert = adapter_begins(bases, options.adapter)
        counts["with_adapter"] += insert < len(bases)
        end = good_until(qualities[:insert], options.min_quality)
        if end < options.min_length:
            counts["too_short"] += 1
            continue
        counts["bases_cut"] += len(bases) - end
        print(f"@{name}", bases[:end], "+", "".join(chr(quality + 33) for quality in qualities[:end]), sep="\n")
    with open(options.log, "w", encoding="ascii") as file:
        json.dump(counts, file, indent=2)
    return 0


def good_until(qualities, least):
    """Where to cut so that the sum of (quality - least) over what is cut off is as small as it can be, as BWA and cutadapt do."""
    total, lowest, end = 0, 0, len(qualities)
    for at in range(len(qualities) - 1, -1, -1):
        total += qualities[at] - least
        if total > 0:
            break
        if total < lowest:
            lowest, end = total, at
    return end


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", required=True)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--min-quality", type=int, required=True)
    parser.add_argument("--min-length", type=int, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("fastq")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
