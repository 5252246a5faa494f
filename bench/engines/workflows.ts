/** The languages, as the API names them. */
export type Language = "WDL" | "CWL" | "NEXTFLOW";

/** One workflow in one language: `parts` tasks that read the input file, and one that puts their outputs together. */
export interface Workflow {
  readonly main: string;
  readonly files: Readonly<Record<string, string>>;
  /** Parameters; `text` is a path or a URI of the input file. */
  parameters(text: string): Readonly<Record<string, unknown>>;
}

/** What all three do: each part counts the lines of the input, the last adds the counts. */
export const WORKFLOWS: Readonly<Record<Language, (parts: number, image: string) => Workflow>> = { WDL: wdl, CWL: cwl, NEXTFLOW: nextflow };

function wdl(parts: number, image: string): Workflow {
  return {
    main: "main.wdl",
    files: {
      "main.wdl": `version 1.1
workflow bench {
  input { File text }
  scatter (part in range(${parts})) { call count { input: text = text, part = part } }
  call total { input: counts = count.out }
  output { File out = total.out }
}
task count {
  input { File text  Int part }
  command <<< wc -l < ~{text} > count.~{part}.txt >>>
  output { File out = "count.~{part}.txt" }
  runtime { docker: "${image}" cpu: 1 memory: "1 GiB" }
}
task total {
  input { Array[File] counts }
  command <<< cat ~{sep(" ", counts)} | awk '{ n += $1 } END { print n }' > total.txt >>>
  output { File out = "total.txt" }
  runtime { docker: "${image}" cpu: 1 memory: "1 GiB" }
}
`,
    },
    parameters: (text) => ({ text }),
  };
}

function cwl(parts: number, image: string): Workflow {
  const tool = (inputs: string, command: string, name: string) => `    run:
      class: CommandLineTool
      requirements: { ShellCommandRequirement: {}, InlineJavascriptRequirement: {}, DockerRequirement: { dockerPull: "${image}" }, ResourceRequirement: { coresMin: 1, coresMax: 1, ramMin: 1024, ramMax: 1024 } }
      inputs: ${inputs}
      baseCommand: []
      arguments: [{ shellQuote: false, valueFrom: '${command}' }]
      outputs: { out: { type: File, outputBinding: { glob: ${name} } } }
`;
  return {
    main: "main.cwl",
    files: {
      "main.cwl": `cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {}, InlineJavascriptRequirement: {} }
inputs: { text: File, parts: "int[]" }
outputs: { out: { type: File, outputSource: total/out } }
steps:
  count:
    scatter: part
    in: { text: text, part: parts }
    out: [out]
${tool("{ text: File, part: int }", "wc -l < $(inputs.text.path) > count.$(inputs.part).txt", '"count.$(inputs.part).txt"')}
  total:
    in: { counts: count/out }
    out: [out]
${tool('{ counts: "File[]" }', 'cat $(inputs.counts.map(function (one) { return one.path; }).join(" ")) | wc -l > total.txt', "total.txt")}`,
    },
    parameters: (text) => ({ text: { class: "File", location: text }, parts: Array.from({ length: parts }, (_, part) => part) }),
  };
}

function nextflow(parts: number, image: string): Workflow {
  return {
    main: "main.nf",
    files: {
      "main.nf": `params.text = null
process COUNT {
  container '${image}'
  cpus 1
  memory '1 GB'
  input: tuple val(part), path(text)
  output: path "count.\${part}.txt"
  script: "wc -l < $text > count.\${part}.txt"
}
process TOTAL {
  container '${image}'
  cpus 1
  memory '1 GB'
  publishDir '/mnt/workflow/pubdir'
  input: path counts
  output: path 'total.txt'
  script: "cat $counts | wc -l > total.txt"
}
workflow {
  COUNT(Channel.of(0..${parts - 1}).flatMap { it }.map { part -> tuple(part, file(params.text)) })
  TOTAL(COUNT.out.collect())
}
`,
    },
    parameters: (text) => ({ text }),
  };
}
