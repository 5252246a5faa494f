cwlVersion: v1.2
class: CommandLineTool
label: GC content of each sequence
doc: Joins the windows of all genomes to a table, and finds where GC content changes most

requirements:
  InitialWorkDirRequirement:
    listing:
      - entryname: gc_summary.py
        entry: {$include: ../scripts/gc_summary.py}
  DockerRequirement:
    dockerPull: public.ecr.aws/docker/library/python:3.12-slim-bookworm
  ResourceRequirement:
    coresMin: 2
    ramMin: 4096

baseCommand: [python3, gc_summary.py]

inputs:
  windows:
    type: File[]
    inputBinding: {position: 1}

outputs:
  table:
    type: File
    outputBinding: {glob: gc.tsv}
  summary:
    type: File
    outputBinding: {glob: gc.json}
