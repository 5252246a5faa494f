process REPORT {
    container "${workflow.containerEngine == 'singularity' ? 'https://x.org/r.sif' : params.aligner == 'bwa' ? 'docker.io/library/rocker:bwa' : 'rocker/r-ver:4.3'}"
    input:
    path x
    output:
    path 'y'
    script:
    '''
    touch y
    '''
}
process SUMMARY {
    label 'process_single'
    container 'python:3.12'
    input:
    path x
    exec:
    println x
}
process NEVER_INCLUDED {
    container 'never/included:1'
    script:
    "true"
}
