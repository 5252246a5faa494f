cwlVersion: v1.2
class: Workflow
label: GC content along genomes
doc: |
  Counts the bases of each genome in windows, and finds where its GC content changes most: in phage lambda between the left arm,
  with the genes of head and tail, and the right arm, which regulates.

requirements:
  ScatterFeatureRequirement: {}

inputs:
  genomes:
    type: File[]
    label: Genomes as FASTA, each with one sequence or more
  window:
    type: int
    default: 500
    label: Bases of a window; windows do not overlap

steps:
  count:
    run: tools/gc-windows.cwl
    scatter: genome
    in:
      genome: genomes
      window: window
    out: [windows]
  summarize:
    run: tools/gc-summary.cwl
    in:
      windows: count/windows
    out: [table, summary]

outputs:
  windows:
    type: File[]
    outputSource: count/windows
    doc: For each genome the bases of every window
  table:
    type: File
    outputSource: summarize/table
    doc: One line for each sequence
  summary:
    type: File
    outputSource: summarize/summary
    doc: The same as JSON, with the place where GC content changes most
