nextflow.enable.dsl = 2
OPTIONAL_FILE = file("$projectDir/data/OPTIONAL_FILE")
process getVersions {
    label "wf_common"
    cpus 1
    output: path "versions.txt"
    script:
    """
    python --version | tr -s ' ' ',' > versions.txt
    """
}
process makeReport {
    label "wf_report"
    label 'other'
    input: path "versions/*"
    output: path "wf-*.html"
    script:
        String report_name = "wf-report.html"
        String metadata = new groovy.json.JsonBuilder([a: 1]).toPrettyString().replaceAll("'", "'\\\\''")
    """
    echo '${metadata}' > $report_name
    """
}
process align {
    label "wfmain"
    cpus { params.threads ?: 2 }
    input:
        tuple val(meta), path("reads.fastq.gz")
    output: path "x"
    """
    touch x
    """
}
process unlabelled {
    output: path "x"
    """
    touch x
    """
}
workflow pipeline {
    take:
        reads
    main:
        versions = getVersions()
        align(reads)
        makeReport(versions)
        unlabelled()
    emit:
        versions
}
WorkflowMain = null
workflow {
    pipeline(Channel.of([[a: 1], file('x')]))
}
