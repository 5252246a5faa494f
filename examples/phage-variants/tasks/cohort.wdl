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
    description: "The numbers that tell whether a run can be trusted, and a page that shows them"
  }

  parameter_meta {
    variants: "The table of merge_samples"
    statistics: "What call_variants counted, a JSON file for each sample"
    coverage: "Mean depth in windows, <sample>.coverage.tsv for each sample"
  }

  input {
    File variants
    Array[File]+ statistics
    Array[File]+ coverage
  }

  command <<<
    set -euo pipefail
    python3 - "~{variants}" ~{sep(" ", quote(statistics))} ~{sep(" ", quote(coverage))} <<'PYTHON'
    import html, json, os, sys

    def kind(reference, other):
        if len(reference) == len(other):
            return "transition" if {reference, other} in ({"A", "G"}, {"C", "T"}) else "transversion"
        return "insertion" if len(other) > len(reference) else "deletion"

    with open(sys.argv[1]) as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    samples = sorted((json.load(open(path)) for path in sys.argv[2:] if path.endswith(".json")), key=lambda one: one["sample"])
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

    def cells(values, tag="td"):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(value))}</{tag}>" for value in values) + "</tr>"

    def plot(sample, path):
        """Depth along the reference as SVG, a mark at each variant of the sample."""
        with open(path) as file:
            windows = [line.split("\t") for line in file][1:]
        length, top = int(windows[-1][2]), max(1.0, *(float(window[3]) for window in windows))
        line = " ".join(f"{(int(start) + int(end)) / 2 / length * 800:.1f},{150 - float(depth) / top * 140:.1f}" for _, start, end, depth in windows)
        marks = "".join(f'<path d="M{int(row[1]) / length * 800:.1f} 152v12"/>' for row in rows if sample in row[4].split(","))
        title = f"{html.escape(sample)}: depth along {html.escape(windows[0][0])} (at most {top:.0f}), variants below"
        return f'<figure><figcaption>{title}</figcaption><svg viewBox="0 0 800 166" role="img" aria-label="{title}"><polyline points="{line}"/>{marks}</svg></figure>'

    plots = [plot(os.path.basename(path)[: -len(".coverage.tsv")], path) for path in sorted(sys.argv[2:], key=os.path.basename) if path.endswith(".coverage.tsv")]
    with open("report.html", "w") as file:
        file.write(f"""<!doctype html>
    <html lang="en"><meta charset="utf-8"><title>Variants</title>
    <style>
    body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
    table {{ border-collapse: collapse; margin: 1rem 0; width: 100% }} th, td {{ padding: .3rem .6rem; border-bottom: 1px solid #ddd; text-align: left }}
    svg {{ width: 100%; height: auto }} polyline {{ fill: none; stroke: #2f6f8f; stroke-width: 1.5 }} path {{ stroke: #b0543f; stroke-width: 2 }}
    </style>
    <h1>Variants</h1>
    <table>{cells(samples[0], "th")}{"".join(cells(sample.values()) for sample in samples)}</table>
    {"".join(plots)}
    <table>{cells(("Sequence", "Position", "Reference", "Variant", "Kind", "Samples"), "th")}{"".join(cells((*row[:4], kind, row[4])) for row, kind in zip(rows, kinds))}</table>
    </html>
    """)
    PYTHON
  >>>

  output {
    File summary = "summary.json"
    File report = "report.html"
    Int variant_count = read_int("variant_count.txt")
  }

  runtime {
    container: "public.ecr.aws/docker/library/python:3.12-slim-bookworm"
    cpu: 2
    memory: "4 GiB"
  }
}
