#!/usr/bin/env nextflow
/*
========================================================================================
    example/nfcore, see https://example.org // not a comment's end
========================================================================================
*/
nextflow.enable.dsl = 2
// globs such as '*/fastq/*' stand in comments
def pattern = '*/fastq/*'
include { RNA } from './workflows/rna'
workflow NFCORE_EXAMPLE {
    take:
    samplesheet // channel: samplesheet read in from --input
    main:
    RNA (
        samplesheet
    )
    emit:
    multiqc_report = RNA.out.multiqc_report // channel: /path/to/multiqc_report.html
}
workflow {
    main:
    NFCORE_EXAMPLE ( Channel.of('a') )
}
