#!/usr/bin/env python3
"""Makes the test data: reads of two phages with known variants, and the table of these variants.

    python3 data/make_reads.py            write data/*.fastq.gz and expected/variants.tsv
    python3 data/make_reads.py --check    compare what they hold with what would be written; exit code 1 if it differs

Positions are 1-based as in VCF; an insertion or deletion stands at the base before it, as far left as it can go.
"""

import gzip
import random
import sys
from pathlib import Path

SEED = 1950  # the year Esther Lederberg found phage lambda
READ_LENGTH = 150
DEPTH = 18
ERROR_RATE = 0.003
FOREIGN_RATE = 0.02

HERE = Path(__file__).resolve().parent
EXPECTED = HERE.parent / "expected" / "variants.tsv"
COMPLEMENT = str.maketrans("ACGT", "TGCA")
TRANSITION = {"A": "G", "G": "A", "C": "T", "T": "C"}
TRANSVERSION = {"A": "C", "C": "A", "G": "T", "T": "G"}

# What is planted: (position, kind, amount). Gene J, the tail fibre that binds the host, is 15505..18903.
BOTH = [
    (2_417, "transition", 1), (9_380, "transversion", 1), (21_738, "deletion", 1),
    (27_972, "transition", 1), (37_589, "transition", 1), (44_920, "insertion", 2),
]
EVOLVED_ONLY = [
    (15_887, "transition", 1), (16_951, "transversion", 1), (17_703, "deletion", 3),
    (18_238, "transition", 1), (18_245, "transition", 1), (18_733, "transversion", 1), (18_824, "transition", 1),
    (31_462, "insertion", 6), (38_370, "deletion", 12),
]
SAMPLES = {"ancestor": BOTH, "evolved": BOTH + EVOLVED_ONLY}


def main():
    contig, genome = read_fasta(HERE / "lambda-phage.fa")
    variants = {planted: describe(genome, planted) for planted in SAMPLES["evolved"]}
    files = {EXPECTED: table(contig, variants)}
    rng = random.Random(SEED)
    for sample, planted in SAMPLES.items():
        phage = mutate(genome, [variants[one] for one in planted])
        files[HERE / f"{sample}.fastq.gz"] = "".join(reads(rng, sample, phage))
    return check(files) if "--check" in sys.argv[1:] else write(files)


def read_fasta(path):
    header, *lines = path.read_text("ascii").split("\n")
    return header[1:].split()[0], "".join(lines)


def describe(genome, planted):
    """The variant as (position, reference allele, other allele), insertions and deletions moved left."""
    position, kind, amount = planted
    at = position - 1
    if kind in ("transition", "transversion"):
        table = TRANSITION if kind == "transition" else TRANSVERSION
        return position, genome[at], table[genome[at]]
    if kind == "deletion":
        reference, other = genome[at : at + 1 + amount], genome[at]
    else:
        # A stretch from elsewhere in the genome, so that it looks like DNA of this phage.
        reference, other = genome[at], genome[at] + genome[at + 1000 : at + 1000 + amount]
    return leftmost(genome, position, reference, other)


def leftmost(genome, position, reference, other):
    while reference[-1] == other[-1]:
        before = genome[position - 2]
        reference, other, position = before + reference[:-1], before + other[:-1], position - 1
    return position, reference, other


def table(contig, variants):
    rows = ["CHROM\tPOS\tREF\tALT\tSAMPLES"]
    for position, reference, other in sorted(variants.values()):
        carriers = sorted(sample for sample, planted in SAMPLES.items() if (position, reference, other) in [variants[one] for one in planted])
        rows.append(f"{contig}\t{position}\t{reference}\t{other}\t{','.join(carriers)}")
    return "\n".join(rows) + "\n"


def mutate(genome, variants):
    for position, reference, other in sorted(variants, reverse=True):
        at = position - 1
        assert genome[at : at + len(reference)] == reference
        genome = genome[:at] + other + genome[at + len(reference) :]
    return genome


def reads(rng, sample, phage):
    """FASTQ records. Only rng.random() is used: its sequence is the same on every version of Python."""
    for number in range(1, DEPTH * len(phage) // READ_LENGTH + 1):
        if rng.random() < FOREIGN_RATE:
            bases = "".join("ACGT"[int(rng.random() * 4)] for _ in range(READ_LENGTH))
        else:
            start = int(rng.random() * (len(phage) - READ_LENGTH + 1))
            bases = phage[start : start + READ_LENGTH]
            if rng.random() < 0.5:
                bases = bases.translate(COMPLEMENT)[::-1]
        yield "@{}.{}\n{}\n+\n{}\n".format(sample, number, *sequenced(rng, bases))


def sequenced(rng, bases):
    """The bases with the errors of a sequencer, and qualities in the three bins of recent machines."""
    called, qualities = list(bases), ["F"] * len(bases)
    for at, base in enumerate(bases):
        if rng.random() < ERROR_RATE:
            called[at] = "ACGT".replace(base, "")[int(rng.random() * 3)]
            qualities[at] = "F" if rng.random() < 0.1 else "#"
        elif rng.random() < 0.002:
            qualities[at] = ":"
    return "".join(called), "".join(qualities)


def write(files):
    for path, text in files.items():
        # No time and no name in the header: the same reads give the same file.
        path.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0) if path.suffix == ".gz" else text.encode("ascii"))
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    return 0


def check(files):
    different = [path for path, text in files.items() if held(path) != text.encode("ascii")]
    for path in different:
        print(f"{path} does not hold what make_reads.py writes", file=sys.stderr)
    return 1 if different else 0


def held(path):
    if not path.exists():
        return None
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
