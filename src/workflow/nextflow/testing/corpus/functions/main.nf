// Processes that functions call: in this script, in another, and over functions of its own.
nextflow.enable.dsl = 2

include { gather; count as tally } from './lib/reads'

process HERE {
    container 'here/x:1'

    input:
    val x

    output:
    val x

    script:
    'echo'
}

def here(x) {
    HERE(x)
}

def never(x) {
    UNCALLED(x)
}

process UNCALLED {
    container 'uncalled/x:1'

    input:
    val x

    script:
    'echo'
}

workflow INNER {
    take:
    reads

    main:
    counted = tally(reads: reads)

    emit:
    counted
}

workflow {
    reads = gather([reads: channel.of(1), name: 'x'])
    here(reads)
    INNER(reads)
}
