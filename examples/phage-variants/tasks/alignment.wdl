version 1.1

task align_reads {
  meta {
    description: "Places reads on the reference by unique seeds, with at most one insertion or deletion each"
  }

  parameter_meta {
    sample_name: "How the sample is called in the read group"
    fastq: "The sample's reads: FASTQ, gzip, single-end"
    reference_fasta: "The reference genome: FASTA with one sequence"
    seed_index: "Seed and position (from 0), one a line, gzip"
    max_mismatches: "Reads with more mismatches than this, after clipping, are left unaligned"
  }

  input {
    String sample_name
    File fastq
    File reference_fasta
    File seed_index
    Int max_mismatches = 8
  }

  command <<<
    set -euo pipefail
    if [ -r /opt/phage/VERSION ]; then echo "phage-variants-tools $(cat /opt/phage/VERSION)" >&2; fi
    python3 - "~{sample_name}" "~{fastq}" "~{reference_fasta}" "~{seed_index}" ~{max_mismatches} > aligned.sam <<'PYTHON'
    import gzip, sys
    from collections import Counter

    sample, fastq, fasta, seed_index, max_mismatches = sys.argv[1:6]
    max_mismatches = int(max_mismatches)
    COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
    SHORTEST = 40  # aligned bases; less could stand anywhere

    with open(fasta) as file:
        contig = file.readline()[1:].split()[0]
        genome = "".join(line.strip().upper() for line in file)
    with gzip.open(seed_index, "rt") as file:
        seeds = {seed: int(position) for seed, position in (line.split("\t") for line in file)}
    k = len(next(iter(seeds)))

    def records(path):
        with gzip.open(path, "rt") as lines:
            for header in lines:
                bases, _, qualities = next(lines).strip(), next(lines), next(lines).strip()
                if not header.startswith("@") or len(bases) != len(qualities):
                    sys.exit(f"{path} is not FASTQ at the record {header.strip()}")
                yield header[1:].split()[0], bases.upper(), qualities

    def diagonals(bases):
        """Where the read would begin on the genome by each of its seeds, from left to right."""
        found = []
        for at in [*range(0, len(bases) - k, k), len(bases) - k]:
            position = seeds.get(bases[at : at + k])
            if position is not None:
                found.append(position - at)
        return found

    def mismatches(bases, start, begin, end):
        """For each place of the read from begin to end whether it differs from the genome."""
        if start + begin < 0 or start + end > len(genome):
            return [not 0 <= start + at < len(genome) or bases[at] != genome[start + at] for at in range(begin, end)]
        return [one != other for one, other in zip(bases[begin:end], genome[start + begin : start + end])]

    def clip(differs, opening, closing):
        """The stretch with the best score; a base of an end that is not clipped counts as a bonus of 5."""
        best, top, score, begin = (0, 0), 0, opening, 0
        for at, wrong in enumerate(differs):
            score += -4 if wrong else 1
            if score <= 0:
                score, begin = 0, at + 1
            total = score + (closing if at == len(differs) - 1 else 0)
            if total > top:
                best, top = (begin, at + 1), total
        return best

    def align(bases):
        """(position from 0, CIGAR, mismatches) or None."""
        found = diagonals(bases)
        if not found:
            return None
        usual = Counter(found)
        left, right = found[0], found[-1]
        if left == right or abs(left - right) > 50 or len(usual) > 2:
            return without_gap(bases, usual.most_common(1)[0][0])
        return with_gap(bases, left, right)

    def without_gap(bases, start):
        if start >= 0 and genome.startswith(bases, start):
            return start, f"{len(bases)}M", 0
        differs = mismatches(bases, start, 0, len(bases))
        begin, end = clip(differs, 5, 5)
        return placed(start + begin, [(begin, "S"), (end - begin, "M"), (len(bases) - end, "S")], sum(differs[begin:end]))

    def with_gap(bases, left, right):
        """The leftmost of the best places for one gap: insertions and deletions of repeats stand where VCF wants them."""
        inserted = max(0, left - right)
        ahead, behind = mismatches(bases, left, 0, len(bases)), mismatches(bases, right, 0, len(bases))
        errors = sum(behind[inserted:])
        best, split = errors, 0
        for at in range(len(bases) - inserted):
            errors += ahead[at]
            errors -= behind[at + inserted]
            if errors < best:
                best, split = errors, at + 1
        resumed = split + inserted
        begin, _ = clip(ahead[:split], 5, 1000)
        _, end = clip(behind[resumed:], 1000, 5)
        gap = (inserted, "I") if inserted else (right - left, "D")
        cigar = [(begin, "S"), (split - begin, "M"), gap, (end, "M"), (len(bases) - resumed - end, "S")]
        return placed(left + begin, cigar, sum(ahead[begin:split]) + sum(behind[resumed : resumed + end]))

    def placed(position, cigar, errors):
        aligned = sum(length for length, kind in cigar if kind == "M")
        if aligned < SHORTEST or errors > max_mismatches or (len(cigar) > 3 and min(cigar[1][0], cigar[3][0]) < 10):
            return None
        return position, "".join(f"{length}{kind}" for length, kind in cigar if length), errors

    print("@HD\tVN:1.6\tSO:unsorted")
    print(f"@SQ\tSN:{contig}\tLN:{len(genome)}")
    print(f"@RG\tID:{sample}\tSM:{sample}")
    print("@PG\tID:align_reads\tPN:phage-variants\tVN:1")
    for name, bases, qualities in records(fastq):
        backward = bases.translate(COMPLEMENT)[::-1]
        options = [(hit[2], flag, hit) for flag, hit in ((0, align(bases)), (16, align(backward))) if hit]
        if not options:
            print(f"{name}\t4\t*\t0\t0\t*\t*\t0\t0\t{bases}\t{qualities}\tRG:Z:{sample}")
            continue
        _, flag, (position, cigar, errors) = min(options)
        shown, scores = (backward, qualities[::-1]) if flag else (bases, qualities)
        print(f"{name}\t{flag}\t{contig}\t{position + 1}\t60\t{cigar}\t*\t0\t0\t{shown}\t{scores}\tRG:Z:{sample}\tXM:i:{errors}")
    PYTHON
    # Header first, then by position: what every other tool expects of a sorted SAM file.
    export LC_ALL=C
    {
      awk '/^@/ { sub(/SO:unsorted/, "SO:coordinate"); print }' aligned.sam
      awk '!/^@/' aligned.sam | sort -t "$(printf '\t')" -k3,3r -k4,4n -k1,1
    } | gzip -n -c > "~{sample_name}.sam.gz"
  >>>

  output {
    File alignment = "~{sample_name}.sam.gz"
  }

  runtime {
    container: "phage-variants-tools:1.0"
    cpu: 2
    memory: "4 GiB"
  }
}
