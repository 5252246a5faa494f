version 1.1

import "tasks/alignment.wdl" as aligning
import "tasks/calling.wdl" as calling

workflow call_sample {
  meta {
    description: "From the reads of one sample to its variants"
  }

  parameter_meta {
    sample_name: "How the sample is called in every table"
    fastq: "The sample's reads: FASTQ, gzip, single-end"
    reference_fasta: "The reference genome: FASTA with one sequence"
    seed_index: "The reference's seeds, made by index_reference"
    min_base_quality: "Bases below this Phred quality are not counted"
    min_depth: "The least number of reads at a place where a variant may be called"
    min_allele_fraction: "The least share of the reads that must carry a variant"
  }

  input {
    String sample_name
    File fastq
    File reference_fasta
    File seed_index
    Int min_base_quality
    Int min_depth
    Float min_allele_fraction
  }

  call aligning.align_reads {
    input:
      sample_name = sample_name,
      fastq = fastq,
      reference_fasta = reference_fasta,
      seed_index = seed_index,
  }

  call calling.call_variants {
    input:
      sample_name = sample_name,
      alignment = align_reads.alignment,
      reference_fasta = reference_fasta,
      min_base_quality = min_base_quality,
      min_depth = min_depth,
      min_allele_fraction = min_allele_fraction,
  }

  output {
    File alignment = align_reads.alignment
    File calls = call_variants.calls
    File coverage = call_variants.coverage
    File statistics = call_variants.statistics
  }
}
