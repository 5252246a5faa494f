process REPORT {
    container 'public.ecr.aws/docker/library/python:3.12-slim-bookworm'
    publishDir params.outdir, mode: 'copy'

    input:
    path statistics

    output:
    path 'qc.tsv', emit: table
    path 'qc.json', emit: summary
    path 'qc.html', emit: page

    script:
    """
    report.py --table qc.tsv --summary qc.json --page qc.html $statistics
    """
}
