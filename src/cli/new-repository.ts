import type { Inspection } from "../workflow/inspection.ts";

/** The files of a small workflow that can be released as it is: it counts the bases of a FASTA file. */
export const newRepository = (name: string): Readonly<Record<string, string>> => ({
  "omx.yaml": config(name),
  "main.wdl": WORKFLOW,
  "tests/sequences.fa": SEQUENCES,
  "README.md": readme(name),
});

/** An omx.yaml for a workflow that is there already. Its test is the user's to write. */
export const configForExisting = (name: string, { engine, main }: Inspection): string => `# What omx releases from this repository.
name: ${name}
# major.minor is yours; omx counts the patch.
version: "1.0"
engine: ${engine}
main: ${JSON.stringify(main)}
# Runs that a release must pass, with data of this repository or of S3:
# tests:
#   - name: small
#     parameters: { threshold: 20 }
#     data: { reads: tests/reads.fastq.gz }
#     expect:
#       - { file: "*.vcf", exists: true }
`;

const config = (name: string): string => `# What omx releases from this repository.
name: ${name}
# major.minor is yours; omx counts the patch.
version: "1.0"
engine: WDL
main: main.wdl
description: Counts the bases of sequences
# Runs that a release must pass.
tests:
  - name: small
    data: { sequences: tests/sequences.fa }
    expect:
      - { file: "counts.tsv", exists: true, contains: "A\\t9" }
`;

const WORKFLOW = `version 1.1

workflow count_bases {
  meta {
    description: "Counts the bases of sequences"
  }
  parameter_meta {
    sequences: "Sequences in FASTA format"
  }
  input {
    File sequences
  }
  call count { input: sequences }
  output {
    File counts = count.counts
  }
}

task count {
  input {
    File sequences
  }
  command <<<
    set -euo pipefail
    grep -v '^>' "~{sequences}" | awk '{ for (i = 1; i <= length($0); i++) n[substr($0, i, 1)]++ } END { for (base in n) print base "\\t" n[base] }' | sort > counts.tsv
  >>>
  output {
    File counts = "counts.tsv"
  }
  runtime {
    container: "public.ecr.aws/docker/library/debian:12-slim"
    cpu: 2
    memory: "4 GiB"
  }
}
`;

const SEQUENCES = `>one
GATTACAGATTACA
>two
ACGTACGT
ACG
`;

const readme = (name: string): string => `# ${name}

Counts the bases of sequences in FASTA format.

| Input | |
|---|---|
| \`sequences\` | a FASTA file |

The output \`counts.tsv\` holds a line for each base: the base and how often it occurs.

\`omx check\` says whether this repository can be released; a push to the release branch releases it.
`;
