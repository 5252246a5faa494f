cwlVersion: v1.2
class: CommandLineTool
label: Bases in windows
doc: Counts G, C and known bases in windows along each sequence of a FASTA file

requirements:
  InitialWorkDirRequirement:
    listing:
      - entryname: gc_windows.awk
        entry: {$include: ../scripts/gc_windows.awk}
  DockerRequirement:
    dockerPull: public.ecr.aws/docker/library/python:3.12-slim-bookworm
  ResourceRequirement:
    coresMin: 2
    ramMin: 4096

baseCommand: [awk, -f, gc_windows.awk]

inputs:
  window:
    type: int
    inputBinding: {position: 1, prefix: -v, valueFrom: window=$(self)}
  genome:
    type: File
    inputBinding: {position: 2}

stdout: $(inputs.genome.nameroot).windows.tsv

outputs:
  windows:
    type: stdout
