#!/usr/bin/env python3
"""What can be said of the reads of one file, as JSON: number, length, quality by cycle, GC, adapters, duplicates."""

import argparse
import json
import sys

from fastq import adapter_begins, records


def main():
    options = arguments()
    sums, depths, seen = [], [], set()
    reads = bases = gc = unknown = with_adapter = good = 0
    for _, sequence, qualities in records(options.fastq):
        reads += 1
        bases += len(sequence)
        gc += sequence.count("G") + sequence.count("C")
        unknown += sequence.count("N")
        with_adapter += adapter_begins(sequence, options.adapter) < len(sequence)
        seen.add(sequence)
        while len(sums) < len(qualities):
            sums.append(0)
            depths.append(0)
        for cycle, quality in enumerate(qualities):
            sums[cycle] += quality
            depths[cycle] += 1
            good += quality >= 30
    json.dump(
        {
            "sample": options.sample,
            "stage": options.stage,
            "reads": reads,
            "bases": bases,
            "mean_length": rounded(bases, reads, 2),
            "gc": rounded(gc, bases - unknown, 4),
            "q30": rounded(good, bases, 4),
            "with_adapter": with_adapter,
            "duplicates": reads - len(seen),
            "quality_by_cycle": [rounded(total, depth, 2) for total, depth in zip(sums, depths)],
        },
        sys.stdout,
        indent=2,
    )
    return 0


def rounded(amount, of, digits):
    return round(amount / of, digits) if of else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", required=True)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("fastq")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
