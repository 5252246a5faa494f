process TRIM_READS {
    tag "$sample"
    container 'public.ecr.aws/docker/library/python:3.12-slim-bookworm'
    publishDir "${params.outdir}/reads", mode: 'copy', pattern: '*.fastq.gz'

    input:
    tuple val(sample), path(fastq)

    output:
    tuple val(sample), path("${sample}.trimmed.fastq.gz"), emit: reads
    path "${sample}.trimming.json", emit: log

    script:
    """
    trim_reads.py \\
        --sample '$sample' \\
        --adapter '$params.adapter' \\
        --min-quality $params.min_quality \\
        --min-length $params.min_length \\
        --log '${sample}.trimming.json' \\
        '$fastq' | gzip -n -c > '${sample}.trimmed.fastq.gz'
    """
}
