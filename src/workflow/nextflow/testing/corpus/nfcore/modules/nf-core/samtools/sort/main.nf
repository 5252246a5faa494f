process SAMTOOLS_SORT {
    tag "$meta.id"
    label 'process_low'
    container "${ workflow.containerEngine == 'singularity' && !task.ext.singularity_pull_docker_container ?
        'https://depot.galaxyproject.org/singularity/samtools:1.21--h50ea8bc_0' :
        'quay.io/biocontainers/samtools:1.21--h50ea8bc_0' }"
    input:
    tuple val(meta), path(bam)
    output:
    tuple val(meta), path("*.bam"), emit: bam
    script:
    """
    samtools sort $bam
    """
}
