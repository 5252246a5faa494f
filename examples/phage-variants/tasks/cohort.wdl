version 1.1

task merge_samples {
  meta {
    description: "One table of all variants with the samples that carry each, and the same as VCF"
  }

  parameter_meta {
    calls: "CHROM, POS, REF, ALT, sample, depth, reads with the variant, length of CHROM: one call a line, a file for each sample"
  }

  input {
    Array[File]+ calls
  }

  command <<<
    set -euo pipefail
    export LC_ALL=C
    tab="$(printf '\t')"
    for file in ~{sep(" ", quote(calls))}; do basename "$file" .calls.tsv; done | sort > samples.txt
    sort -t "$tab" -k1,1 -k2,2n -k3,3 -k4,4 -k5,5 ~{sep(" ", quote(calls))} > calls.tsv

    {
      printf 'CHROM\tPOS\tREF\tALT\tSAMPLES\n'
      awk -F '\t' -v OFS='\t' '
        { variant = $1 OFS $2 OFS $3 OFS $4 }
        variant != before { if (NR > 1) print before, samples; before = variant; samples = $5; next }
        { samples = samples "," $5 }
        END { if (NR > 0) print before, samples }' calls.tsv
    } > variants.tsv

    {
      printf '##fileformat=VCFv4.3\n##source=phage-variants\n'
      awk -F '\t' '!seen[$1]++ { printf "##contig=<ID=%s,length=%s>\n", $1, $8 }' calls.tsv
      printf '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype; phages are haploid">\n'
      printf '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads at this place">\n'
      printf '##FORMAT=<ID=AO,Number=1,Type=Integer,Description="Reads with the variant">\n'
      printf '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT'
      awk '{ printf "\t%s", $1 } END { printf "\n" }' samples.txt
      awk -F '\t' '
        function flush(  i) {
          if (before == "") return
          printf "%s", before
          for (i = 1; i <= n; i++) printf "\t%s", (name[i] in genotype) ? genotype[name[i]] : "."
          printf "\n"
        }
        NR == FNR { name[++n] = $1; next }
        {
          variant = $1 "\t" $2 "\t.\t" $3 "\t" $4 "\t.\tPASS\t.\tGT:DP:AO"
          if (variant != before) { flush(); split("", genotype); before = variant }
          genotype[$5] = "1:" $6 ":" $7
        }
        END { flush() }' samples.txt calls.tsv
    } > variants.vcf
  >>>

  output {
    File variants = "variants.tsv"
    File vcf = "variants.vcf"
  }

  runtime {
    container: "public.ecr.aws/docker/library/python:3.12-slim-bookworm"
    cpu: 2
    memory: "4 GiB"
  }
}

task summarize {
  meta {
    description: "The numbers that tell whether a run can be trusted"
  }

  parameter_meta {
    variants: "The table of merge_samples"
    statistics: "What call_variants counted, a JSON file for each sample"
  }

  input {
    File variants
    Array[File]+ statistics
  }

  command <<<
    set -euo pipefail
    python3 - "~{variants}" ~{sep(" ", quote(statistics))} <<'PYTHON'
    import json, sys

    def kind(reference, other):
        if len(reference) == len(other):
            return "transition" if {reference, other} in ({"A", "G"}, {"C", "T"}) else "transversion"
        return "insertion" if len(other) > len(reference) else "deletion"

    with open(sys.argv[1]) as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    samples = sorted((json.load(open(path)) for path in sys.argv[2:]), key=lambda one: one["sample"])
    kinds = [kind(row[2], row[3]) for row in rows]
    summary = {
        "samples": samples,
        "variants": {
            "total": len(rows),
            "shared_by_all": sum(1 for row in rows if len(row[4].split(",")) == len(samples)),
            **{f"{one}s": kinds.count(one) for one in ("transition", "transversion", "insertion", "deletion")},
        },
    }
    with open("summary.json", "w") as file:
        json.dump(summary, file, indent=2)
        file.write("\n")
    with open("variant_count.txt", "w") as file:
        print(len(rows), file=file)
    PYTHON
  >>>

  output {
    File summary = "summary.json"
    Int variant_count = read_int("variant_count.txt")
  }

  runtime {
    container: "public.ecr.aws/docker/library/python:3.12-slim-bookworm"
    cpu: 2
    memory: "4 GiB"
  }
}
