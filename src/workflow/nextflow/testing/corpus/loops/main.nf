// A configuration that includes and sets in loops, by what its parameters name.
nextflow.enable.dsl = 2

process ONE {
    container "${params.one_image}"

    script:
    'echo'
}

process TWO {
    container "${params.two_image}"

    script:
    'echo'
}

process THREE {
    container 'own/three:1'

    script:
    'echo'
}

process FOUR {
    container "${task.ext.image}"

    script:
    'echo'
}

process FIVE {
    container 'own/five:1'

    script:
    'echo'
}

process SIX {
    script:
    'echo'
}

workflow {
    ONE()
    TWO()
    THREE()
    FOUR()
    FIVE()
    SIX()
}
