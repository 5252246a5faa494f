process READ_STATISTICS {
    tag "$sample $stage"
    container 'public.ecr.aws/docker/library/python:3.12-slim-bookworm'

    input:
    tuple val(sample), val(stage), path(fastq)

    output:
    path "${sample}.${stage}.json", emit: statistics

    script:
    """
    read_statistics.py --sample '$sample' --stage '$stage' --adapter '$params.adapter' '$fastq' > '${sample}.${stage}.json'
    """
}
