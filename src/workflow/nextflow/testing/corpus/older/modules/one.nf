include { initOptions } from './functions'
params.options = [:]
options        = initOptions(params.options)
process ONE {
    tag "x"
    conda (params.enable_conda ? "bioconda::one=1.0" : null)
    if (workflow.containerEngine == 'singularity' && !params.singularity_pull_docker_container) {
        container "https://depot.galaxyproject.org/singularity/one:1.0"
    } else {
        container "biocontainers/one:1.0-${params.options.tag}"
    }
    script:
    "true"
}
