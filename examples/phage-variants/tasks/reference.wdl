version 1.1

task index_reference {
  meta {
    description: "Checks the reference and lists where each of its seeds (words of 21 bases) stands"
  }

  parameter_meta {
    fasta: "The reference genome: FASTA with one sequence"
    seed_length: "Bases of a seed"
  }

  input {
    File fasta
    Int seed_length = 21
  }

  command <<<
    set -euo pipefail
    export LC_ALL=C
    if [ "$(grep -c '^>' "~{fasta}")" != 1 ]; then
      echo "the reference must hold exactly one sequence" >&2
      exit 1
    fi
    # A seed that stands at two places says nothing about where a read comes from: it is left out.
    awk -v k=~{seed_length} '
      /^>/ { next }
      { sub(/\r$/, ""); genome = genome toupper($0) }
      END {
        if (genome !~ /^[ACGTN]+$/) { print "the reference holds letters other than A, C, G, T and N" > "/dev/stderr"; exit 1 }
        last = length(genome) - k + 1
        for (at = 1; at <= last; at++) count[substr(genome, at, k)]++
        for (at = 1; at <= last; at++) if (count[seed = substr(genome, at, k)] == 1) { print seed "\t" at - 1; unique++ }
        if (!unique) { print "no word of " k " bases stands at one place of the reference only" > "/dev/stderr"; exit 1 }
      }' "~{fasta}" > seeds.tsv
    gzip -n -c seeds.tsv > seeds.tsv.gz
  >>>

  output {
    File seed_index = "seeds.tsv.gz"
  }

  runtime {
    container: "public.ecr.aws/docker/library/python:3.12-slim-bookworm"
    cpu: 2
    memory: "4 GiB"
  }
}
