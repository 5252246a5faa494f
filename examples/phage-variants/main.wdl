version 1.1

import "tasks/cohort.wdl" as cohort
import "tasks/reference.wdl" as reference
import "sample.wdl" as sample

workflow phage_variants {
  meta {
    author: "omx examples"
    description: "Finds the variants of phage samples against a reference: single bases, insertions and deletions"
  }

  parameter_meta {
    reference_fasta: "The reference genome: FASTA with one sequence"
    reads: "Reads of each sample: FASTQ, gzip, single-end, named after the sample (ancestor.fastq.gz)"
    min_base_quality: "Bases below this Phred quality are not counted"
    min_depth: "The least number of reads at a place where a variant may be called"
    min_allele_fraction: "The least share of the reads that must carry a variant; phages are haploid"
  }

  input {
    File reference_fasta
    Array[File]+ reads
    Int min_base_quality = 20
    Int min_depth = 5
    Float min_allele_fraction = 0.5
  }

  call reference.index_reference {
    input:
      fasta = reference_fasta,
  }

  scatter (fastq in reads) {
    call sample.call_sample {
      input:
        sample_name = basename(fastq, ".fastq.gz"),
        fastq = fastq,
        reference_fasta = reference_fasta,
        seed_index = index_reference.seed_index,
        min_base_quality = min_base_quality,
        min_depth = min_depth,
        min_allele_fraction = min_allele_fraction,
    }
  }

  call cohort.merge_samples {
    input:
      calls = call_sample.calls,
  }

  call cohort.summarize {
    input:
      variants = merge_samples.variants,
      statistics = call_sample.statistics,
      coverage = call_sample.coverage,
  }

  output {
    File variants = merge_samples.variants
    File vcf = merge_samples.vcf
    File summary = summarize.summary
    File report = summarize.report
    Int variant_count = summarize.variant_count
    Array[File] alignments = call_sample.alignment
    Array[File] coverage = call_sample.coverage
  }
}
