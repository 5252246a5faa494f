process BWA_MEM {
    tag "$meta.id"
    label 'process_high'
    conda "${moduleDir}/environment.yml"
    container "${ workflow.containerEngine in ['singularity', 'apptainer'] && !task.ext.singularity_pull_docker_container
        ? 'https://community-cr-prod.seqera.io/docker/registry/v2/blobs/sha256/ab/abcd/data'
        : 'community.wave.seqera.io/library/bwa_htslib_samtools:56c9f8d5201889a4' }"
    input:
    tuple val(meta) , path(reads)
    output:
    tuple val(meta), path("*.bam")  , emit: bam,    optional: true
    script:
    def samtools_command = args2.toString() =~ /--output-fmt\s+cram/ ? 'x' : 'y'
    """
    INDEX=`find -L ./ -name "*.amb" | sed 's/\\.amb\$//'`
    bwa mem -t $task.cpus \$INDEX $reads | samtools $samtools_command --threads $task.cpus -o ${meta.id}.bam -
    """
}
