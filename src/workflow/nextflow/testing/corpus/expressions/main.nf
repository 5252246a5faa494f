nextflow.enable.dsl=2
def salmon_container = workflow.containerEngine == 'singularity'
    ? 'https://depot.galaxyproject.org/singularity/salmon:1'
    : 'biocontainers/salmon:1'
def tools = [
    'star': [image: 'x/star:1', cpus: 2],
    'hisat2': [image: 'x/hisat2:1', cpus: 4]
]
def pick = { name -> tools[name].image }
def images = tools.collectEntries { k, v -> [k, v.image] }
params.repo = 'docker.io/own'
params.img = [ base: "${params.repo}/base:1", sub: [gpu: 'g:1'] ]
params.tag = params.dev ? 'dev' : '1.0.0'
IMAGE_TAG = "${params.tag}"
process P1 { container workflow.containerEngine == 'singularity' ? params.container.singularity.samtools : params.container.docker.samtools
 script: 'x' }
process P2 { container workflow.containerEngine == 'singularity' ?
        params.pandas_singularity : params.pandas_docker
 script: 'x' }
process P3 { container workflow.containerEngine == 'singularity' && !params.singularity_pull_docker_container ?
        null :
        'quay.io/biocontainers/biocontainers:1.2.0--py38_0'
 script: 'x' }
process P4 { container salmon_container
 script: 'x' }
process P5 { container "${tools.star.image}"
 script: 'x' }
process P6 { container tools['hisat2'].image
 script: 'x' }
process P7 { container params.img.base
 script: 'x' }
process P8 { container params.img.sub.gpu
 script: 'x' }
process P9 { container "p9:${IMAGE_TAG}"
 script: 'x' }
process P10 { container { workflow.containerEngine in ['singularity', 'apptainer'] ? params.aa : params.bb }
 script: 'x' }
process P11 { container images.star
 script: 'x' }
process P12 { container "${pick('hisat2')}"
 script: 'x' }
process P13 { container params.tool_image ? params.tool_image : "fallback/${task.process.toLowerCase()}:1"
 script: 'x' }
process P14 { container 'a/b:1' + (params.gpu ? '-gpu' : '-cpu')
 script: 'x' }
process P15 { container "${params.gpu ? 'gpu/img' : 'cpu/img'}:${params.tag}"
 script: 'x' }
process P16 { container "${params.registry ? params.registry + '/' : ''}p16:1"
 script: 'x' }
process P17 { container "quay.io/p/${task.process.split(':').last().toLowerCase().replaceAll('_', '-')}:1"
 script: 'x' }
process P18 { container "${ params.img_map[params.which] ?: params.img_map.get('dflt') }"
 script: 'x' }
process P20 { container "${params.repo}".replace('docker.io/', 'ghcr.io/') + '/p20:1'
 script: 'x' }
process P21 { container = { "p21:${params.tag}" }
 script: 'x' }
process P22 {
    def v = params.p22_version ?: '2.2'
    if (params.gpu == true) container "p22-gpu:$v"
    else if (v == '2.2') container "p22:$v"
    else container 'p22:other'
 script: 'x' }
process P23 { label 'a'; label 'b'
 container "x/p23:1" /* comment */ // another
 script: 'x' }
def (v_one, v_two) = ['v/one:1', 'v/two:2']
def parts = [:]
parts.left = 'parts/left:1'
parts['right'] = "parts/right:${1 + 1}"
container = ['ghcr.io': 'ghcr.io/own/tool', 'quay.io': 'quay.io/own/tool']
default_registry = 'ghcr.io'
version = '0.3'
params.own_container = ''
params.container_registry = ''
process Q1 { container "${v_two}"
 script: 'x' }
process Q2 { container parts.left
 script: 'x' }
process Q3 { container "${parts['right']}"
 script: 'x' }
process Q4 { container "${params.own_container ?: container[params.container_registry ?: default_registry]}:${version}"
 script: 'x' }
process Q5 { container { switch (params.which) { case 'two': return 'switch/two:1'; case ['one', 'uno']: return 'switch/one:1'; default: return 'switch/default:1' } }
 script: 'x' }
process Q6() { container 'paren/theses:1'
 script: 'x' }
process Q7 {
    def suffix = "/body:1"
    container { (params.own_registry ?: 'quay.io/own' + suffix) }
 script: 'x' }
if (params.gpu) {
    println 'with a GPU'
} else {
    println 'without'
}
workflow { Q1(); Q2(); Q3(); Q4(); Q5(); Q6(); Q7(); P1(); P2(); P3(); P4(); P5(); P6(); P7(); P8(); P9(); P10(); P11(); P12(); P13(); P14(); P15(); P16(); P17(); P18();  P20(); P21(); P22(); P23();  }
