process MULTIQC {
    label 'process_single'
    container "community.wave.seqera.io/library/multiqc:1.25.1--dc1968330462e945"
    input:
    path  multiqc_files, stageAs: "?/*"
    output:
    path "*multiqc_report.html", emit: report
    script:
    def config = multiqc_config ? "--config $multiqc_config" : ''
    """
    multiqc --force $config .
    """
}
