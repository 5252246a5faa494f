/** What the generator draws from: ways to write an image that pipelines in the wild use. */

export interface Dice {
  readonly pick: <T>(items: readonly T[]) => T;
  /** True once in `n`. */
  readonly once: (n: number) => boolean;
  readonly below: (n: number) => number;
}

/** Variables that the containers of a module hang on. */
export const MODULE_HEAD = `def images = [cpu: 'img/cpu:1', gpu: "img/gpu:\${params.tag}"]
images.extra = "img/extra:\${params.tag}"
images['more'] = 'img/more:1'
def (first_image, second_image) = ['one/first:1', 'two/second:2']
tool_image = 'tool/global:1'
def by_tool = [star: [image: 'x/star:1'], bwa: [image: "x/bwa:\${params.tag}"]]
def engine_image = workflow.containerEngine == 'singularity'
    ? 'https://example.org/x.sif'
    : 'engine/docker:1'
`;

/** Parameters beside the common ones; a name alone means one that stands before it. */
export const PARAMETERS = `    deep {
        er { image = 'deep/er:1' }
    }
    composed = "composed/\${registry}:\${tag}"
    none = null
    empty = ''
`;

export const registryForms: readonly string[] = [
  "docker.registry = ''\n",
  "docker {\n    enabled = true\n    registry = params.empty\n}\n",
];

/** Container directives of a process, with two images to choose from. */
export function containerForms(name: string, one: string, two: string): readonly string[] {
  return [
    "    container images.cpu",
    "    container images[params.flag ? 'gpu' : 'cpu']",
    '    container "${images.extra}"',
    "    container images['more']",
    '    container "${second_image}"',
    "    container tool_image",
    "    container by_tool.bwa.image",
    "    container engine_image",
    `    container workflow.containerEngine == 'singularity' ? 'x.sif' : '${one}'`,
    `    container params.flag ?\n        '${one}' :\n        '${two}'`,
    `    container ( '${one}' )`,
    `    container = "${one}"`,
    `    container { switch (params.tag) { case '1': return '${one}'; case ['2', '9']: return '${two}'; default: return 'switch/default:1' } }`,
    `    container { if (params.flag) { '${one}' } else { '${two}' } }`,
    `    container { def version = params.tag; "local/def:\${version}" }`,
    "    container \"${([params.registry, 'team/minus:1'] - '').join('/')}\"",
    "    container \"${([params.empty, 'team/minus:2'] - '').join('/')}\"",
    "    container \"${[params.registry, 'team', 'found:1'].findAll { it != 'team' }.join('/')}\"",
    `    container 'sum/' + 'of:' + params.tag`,
    `    container "\${params.map.containsKey('first') ? params.map.first : '${one}'}"`,
    `    container "\${params.map.get('nope') ?: '${two}'}"`,
    "    container \"${task.process.tokenize(':')[-1].toLowerCase()}:1\"",
    `    container "split/\${task.process.split(':').last().toLowerCase().replaceAll('_', '-')}:1"`,
    `    container { "\${task.ext.image ?: '${one}'}" }`,
    `    def image = params.flag ? '${one}' : '${two}'\n    container "\${image}"`,
    `    container '${one}'\n    container '${two}'`,
    `    if (params.flag == true) container '${one}'\n    else if (params.tag == '1') container '${two}'\n    else container 'else/image:1'`,
    '    container "${params.deep.er.image}"',
    "    container params.composed",
    `    container "\${params.none ? params.none + '/' : ''}${name.toLowerCase()}:2"`,
    `    container params.none ?: '${one}'`,
    `    container """${two}"""`,
  ];
}

/** Settings of a selector. */
export function settingForms(one: string): readonly string[] {
  return [
    "container = [params.registry, 'joined:1'].join('/')",
    "container = \"${([params.registry, 'quay/minus:1'] - '').join('/')}\"",
    "ext { image = 'ext/block:1' }",
    "ext.image = { params.flag ? 'ext/closure:1' : 'ext/else:1' }",
    "container = params.map.first",
    "container = params.map['second']",
    "container = params.deep.er.image",
    "container = { task.process.contains('SUB') ? 'in/sub:1' : 'in/main:1' }",
    `container = { [ '${one}', 'other:1' ][params.flag ? 0 : 1] }`,
    "publishDir = [path: { \"x/${params.tag}\" }, mode: 'copy', saveAs: { it == 'versions.yml' ? null : it }]",
    "container = { def t = task.process.tokenize(':')[-1]; \"named/${t.toLowerCase()}:1\" }",
  ];
}
