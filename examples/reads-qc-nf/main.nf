#!/usr/bin/env nextflow

include { READ_STATISTICS as RAW_STATISTICS     } from './modules/read_statistics'
include { READ_STATISTICS as TRIMMED_STATISTICS } from './modules/read_statistics'
include { TRIM_READS                            } from './modules/trim_reads'
include { REPORT                                } from './modules/report'

workflow {
    if (!params.reads) {
        error "Name the reads: --reads 'data/*.fastq.gz', or a list of files in a parameter file"
    }
    reads = channel
        .fromPath(params.reads, checkIfExists: true)
        .map { fastq -> tuple(fastq.name.replaceAll(/\.(fastq|fq)(\.gz)?$/, ''), fastq) }

    RAW_STATISTICS(reads.map { sample, fastq -> tuple(sample, 'raw', fastq) })
    TRIM_READS(reads)
    TRIMMED_STATISTICS(TRIM_READS.out.reads.map { sample, fastq -> tuple(sample, 'trimmed', fastq) })

    REPORT(
        RAW_STATISTICS.out.statistics
            .mix(TRIMMED_STATISTICS.out.statistics, TRIM_READS.out.log)
            .collect()
    )
}
