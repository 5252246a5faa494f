version 1.1

task call_variants {
  meta {
    description: "Counts what the reads say at every place of the reference and calls what differs from it"
  }

  parameter_meta {
    sample_name: "How the sample is called in every table"
    alignment: "The sample's alignment: SAM, gzip"
    reference_fasta: "The reference genome: FASTA with one sequence"
    min_base_quality: "Bases below this Phred quality are not counted"
    min_depth: "The least number of reads at a place where a variant may be called"
    min_allele_fraction: "The least share of the reads that must carry a variant"
  }

  input {
    String sample_name
    File alignment
    File reference_fasta
    Int min_base_quality
    Int min_depth
    Float min_allele_fraction
  }

  command <<<
    set -euo pipefail
    export LC_ALL=C
    if [ -r /opt/phage/VERSION ]; then echo "phage-variants-tools $(cat /opt/phage/VERSION)" >&2; fi

    # Alleles by place: a base, "-" for a deleted base, +BASES or -NUMBER for what begins after this base.
    gzip -dc "~{alignment}" | awk -F '\t' -v least=~{min_base_quality} '
      BEGIN { lowest = sprintf("%c", 33 + least) }
      /^@/ || $6 == "*" { next }
      {
        place = $4; at = 1; cigar = $6
        while (match(cigar, /^[0-9]+[A-Z]/)) {
          size = substr(cigar, 1, RLENGTH - 1) + 0; kind = substr(cigar, RLENGTH, 1); cigar = substr(cigar, RLENGTH + 1)
          if (kind == "S") at += size
          else if (kind == "M") {
            for (end = at + size; at < end; at++) { if (substr($11, at, 1) >= lowest) count[place, substr($10, at, 1)]++; place++ }
          }
          else if (kind == "I") { count[place - 1, "+" substr($10, at, size)]++; at += size }
          else if (kind == "D") { count[place - 1, "-" size]++; for (end = place + size; place < end; place++) count[place, "-"]++ }
        }
      }
      END { for (key in count) { split(key, part, SUBSEP); print part[1] "\t" part[2] "\t" count[key] } }
    ' | sort -k1,1n -k2,2 > pileup.tsv

    python3 - "~{sample_name}" "~{alignment}" "~{reference_fasta}" ~{min_depth} ~{min_allele_fraction} <<'PYTHON'
    import gzip, json, sys

    sample, alignment, fasta, min_depth, min_fraction = sys.argv[1:6]
    min_depth, min_fraction = int(min_depth), float(min_fraction)

    with open(fasta) as file:
        contig = file.readline()[1:].split()[0]
        genome = "".join(line.strip().upper() for line in file)
    piles = [{} for _ in genome]
    with open("pileup.tsv") as file:
        for line in file:
            place, allele, count = line.rstrip("\n").split("\t")
            piles[int(place) - 1][allele] = int(count)

    def depth_of(pile):
        return sum(count for allele, count in pile.items() if len(allele) == 1)

    def informative(at, allele):
        """Reads that could show the allele; what begins after a base is seen by reads that go on."""
        return depths[at] if len(allele) == 1 or at + 1 == len(depths) else min(depths[at], depths[at + 1])

    def alleles(at, allele):
        """As VCF writes them: (REF, ALT)."""
        if allele.startswith("+"):
            return genome[at], genome[at] + allele[1:]
        if allele.startswith("-"):
            return genome[at : at + 1 + int(allele[1:])], genome[at]
        return genome[at], allele

    depths = [depth_of(pile) for pile in piles]
    calls = []
    for at, pile in enumerate(piles):
        for allele, count in pile.items():
            depth = informative(at, allele)
            if allele in ("-", "N", genome[at]) or depth < min_depth or count < min_fraction * depth:
                continue
            reference, other = alleles(at, allele)
            calls.append((at + 1, reference, other, depth, count))

    with open(f"{sample}.calls.tsv", "w") as file:
        for position, reference, other, depth, count in sorted(calls):
            print(contig, position, reference, other, sample, depth, count, len(genome), sep="\t", file=file)
    with open(f"{sample}.coverage.tsv", "w") as file:
        print("CHROM", "START", "END", "MEAN_DEPTH", sep="\t", file=file)
        for start in range(0, len(genome), 500):
            window = depths[start : start + 500]
            print(contig, start, start + len(window), f"{sum(window) / len(window):.2f}", sep="\t", file=file)

    with gzip.open(alignment, "rt") as file:
        flags = [int(line.split("\t", 2)[1]) for line in file if not line.startswith("@")]
    with open(f"{sample}.statistics.json", "w") as file:
        json.dump({
            "sample": sample,
            "reads": len(flags),
            "aligned_reads": sum(1 for flag in flags if not flag & 4),
            "mean_depth": round(sum(depths) / len(depths), 3),
            "breadth": round(sum(1 for depth in depths if depth >= min_depth) / len(depths), 5),
            "variants": len(calls),
        }, file, indent=2)
    PYTHON
  >>>

  output {
    File calls = "~{sample_name}.calls.tsv"
    File coverage = "~{sample_name}.coverage.tsv"
    File statistics = "~{sample_name}.statistics.json"
  }

  runtime {
    container: "phage-variants-tools:1.0"
    cpu: 2
    memory: "4 GiB"
  }
}
