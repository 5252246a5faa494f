include { FASTQC                   } from '../modules/nf-core/fastqc/main'
include { FASTQC as FASTQC_TRIMMED } from '../modules/nf-core/fastqc/main'
include { MULTIQC                  } from '../modules/nf-core/multiqc'
include { ALIGN                    } from '../subworkflows/local/align'
include { REPORT; SUMMARY as SUMMARISE } from '../modules/local/report.nf'

workflow RNA {
    take:
    ch_samplesheet
    main:
    ch_versions = Channel.empty()
    ch_multiqc_files = Channel.empty()
    FASTQC ( ch_samplesheet )
    ch_multiqc_files = ch_multiqc_files.mix(FASTQC.out.zip.collect{it[1]}.ifEmpty([]))
    ch_samplesheet | FASTQC_TRIMMED
    ALIGN ( ch_samplesheet.map { it -> [ [id: it], it ] } )
    ALIGN.out.bam
        .map { meta, bam -> bam }
        .collect()
        .set { ch_bams }
    MULTIQC ( ch_bams )
    REPORT ( MULTIQC.out.report )
    SUMMARISE ( REPORT.out )
    emit:
    multiqc_report = MULTIQC.out.report
}
