// What container directives ask of numbers, of Groovy's methods and of `task`.
nextflow.enable.dsl = 2

process GIVEN {
    accelerator 1
    container "${task.accelerator ? 'chip/gpu:1' : 'chip/cpu:1'}"

    script:
    'echo'
}

process NOT_GIVEN {
    container "${task.accelerator ? 'chip/gpu:2' : 'chip/cpu:2'}"

    script:
    'echo'
}

process BY_LABEL {
    label 'chips'
    container "${workflow.containerEngine == 'singularity' && !task.ext.plain ?
        (task.accelerator ? 'sif/gpu' : 'sif/cpu') :
        (task.accelerator ? 'chip/gpu:3' : 'chip/cpu:3')}"

    script:
    'echo'
}

process BY_NAME {
    container "${task.accelerator ? 'chip/gpu:4' : 'chip/cpu:4'}"

    script:
    'echo'
}

process REQUEST {
    accelerator 2, type: 'nvidia-l4'
    container "${task.accelerator.request > 1 ? 'chip/many:5' : 'chip/one:5'}"

    script:
    'echo'
}

process MANY_CPUS {
    cpus 8
    container { task.cpus > 4 ? 'wide/x:1' : 'narrow/x:1' }

    script:
    'echo'
}

process ONE_CPU {
    container { task.cpus > 4 ? 'wide/x:2' : 'narrow/x:2' }

    script:
    'echo'
}

process MEMORY {
    memory '8 GB'
    container { task.memory > 16.GB ? 'roomy/x:1' : 'tight/x:1' }

    script:
    'echo'
}

process NO_MEMORY {
    container { task.memory ? 'roomy/x:2' : 'tight/x:2' }

    script:
    'echo'
}

process EXECUTOR {
    container "${task.executor == 'awsbatch' ? 'batch/x:1' : 'here/x:1'}"

    script:
    'echo'
}

process LABELS {
    label 'chips'
    container "${task.label.contains('chips') ? 'labelled/x:1' : 'plain/x:1'}"

    script:
    'echo'
}

process ATTEMPT {
    container "tries/x:${task.attempt}"

    script:
    'echo'
}

process DECIMAL {
    container "number/x:${params.version}"

    script:
    'echo'
}

process SUM {
    container 'number/x:' + params.version

    script:
    'echo'
}

process WRITTEN {
    container "number/${1.0}-${2e3}-${1_000}-${10L}-${1.5f}-${0.50}:1"

    script:
    'echo'
}

process DOLLAR {
    container $/dollar/slash:1/$

    script:
    'echo'
}

process FORMAT {
    container String.format('%s/format:%s', params.host, params.version)

    script:
    'echo'
}

process CLASS {
    container "${params.tools.replaceAll('[^a-z]', '-')}/class:1"

    script:
    'echo'
}

process FIRST {
    container "${params.host.replaceFirst('alpha', 'beta')}/first:1"

    script:
    'echo'
}

process TRUTHY {
    container "${[params.host, '', 'kept:1'].findAll().join('/')}"

    script:
    'echo'
}

process SORTED {
    container "${params.list.sort().reverse()[0]}/sorted:1"

    script:
    'echo'
}

process LARGEST {
    container "${params.list.max()}${params.list.min()}/largest:${[3, 1].max()}"

    script:
    'echo'
}

process ADDED {
    container "${params.list.sum()}/added:${[1, 2].sum()}"

    script:
    'echo'
}

process AT {
    container "${params.list.indexOf('c')}/at:1"

    script:
    'echo'
}

process PADDED {
    container "${'7'.padLeft(3, '0')}/padded:1"

    script:
    'echo'
}

process TIMES {
    container "${'ha' * 2}/times:1"

    script:
    'echo'
}

process SMALL {
    container "${'Ab'.uncapitalize()}/small:1"

    script:
    'echo'
}

process WHOLE {
    container "${task.process ==~ /.*INNER:.*/ ? 'inside/x:1' : 'outside/x:1'}"

    script:
    'echo'
}

process PART {
    container "${task.process =~ /INNER/ ? 'inside/x:2' : 'outside/x:2'}"

    script:
    'echo'
}

process DIGITS {
    container "${'12'.isInteger() ? 'digits' : 'letters'}/x:${'1.5'.isNumber() ? 'n' : 't'}"

    script:
    'echo'
}

process SHARED {
    container "${params.list.intersect(['b', 'z']).join('-')}/shared:${['a'].disjoint(['b']) ? 1 : 2}"

    script:
    'echo'
}

process TAIL {
    container "${params.list.tail().join('-')}/tail:${params.list.take(2).size()}"

    script:
    'echo'
}

workflow INNER {
    GIVEN()
    NOT_GIVEN()
    BY_LABEL()
    BY_NAME()
    REQUEST()
    MANY_CPUS()
    ONE_CPU()
    MEMORY()
    NO_MEMORY()
    EXECUTOR()
    LABELS()
    ATTEMPT()
    DECIMAL()
    SUM()
    WRITTEN()
    DOLLAR()
    FORMAT()
    CLASS()
    FIRST()
    TRUTHY()
    SORTED()
    LARGEST()
    ADDED()
    AT()
    PADDED()
    TIMES()
    SMALL()
    WHOLE()
    PART()
    DIGITS()
    SHARED()
    TAIL()
}

workflow {
    INNER()
}
