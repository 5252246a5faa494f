import { describe, expect, test } from "vitest";
import { memoryTree } from "../source-tree.ts";
import { pipelineFiles } from "../pipelines.ts";
import { readNextflow } from "./read.ts";

type Files = Readonly<Record<string, string>>;

const read = (files: Files) => readNextflow(memoryTree(files), "main.nf");

/** Each image with its task, the condition of those that no run has by default behind it. */
const images = (files: Files) =>
  read(files).images.map(({ task, image, condition }) => `${task} ${image}${condition === undefined ? "" : ` if ${condition}`}`);

const faults = (files: Files) => read(files).diagnostics.filter(({ rule }) => /syntax|missing/.test(rule));

describe("pipelines adapted to HealthOmics", () => {
  const config = (registry: string) =>
    `params.ecr_registry = ${registry}\nprocess {\n  withName: '(.+:)?ALIGN' { container = "\${ ([params.ecr_registry, 'quay/own/star:2'] - '').join('/') }" }\n}`;
  const main = "process ALIGN { container 'own/star:1'\nscript: 'x' }\nworkflow { ALIGN() }";

  test("name their images by a list without the empty registry", () => {
    expect(read({ "main.nf": main, "nextflow.config": config("''") }).images).toEqual([
      { image: "quay/own/star:2", task: "ALIGN", file: "nextflow.config", line: 3, how: "selector", input: "ecr_registry" },
    ]);
    expect(images({ "main.nf": main, "nextflow.config": config("'1.dkr.ecr.us-east-1.amazonaws.com'") })).toEqual([
      "ALIGN 1.dkr.ecr.us-east-1.amazonaws.com/quay/own/star:2",
    ]);
  });

  test("whose registry is null leave it to the input", () => {
    const { images: known, unresolved } = read({ "main.nf": main, "nextflow.config": config("null") });
    expect(known).toEqual([]);
    expect(unresolved).toMatchObject([{ task: "ALIGN", input: "ecr_registry", line: 3 }]);
  });
});

describe("DSL1", () => {
  test("processes under conditions are tasks, with the container of the configuration", () => {
    const main =
      "if (params.fasta.endsWith('.gz')) {\n  process unzip {\n    input: path x from file(params.fasta)\n    output: path 'y' into ch\n    script: 'x'\n  }\n} else {\n  ch = file(params.fasta)\n}\n" +
      "if (!params.index) {\n  process makeIndex {\n    container 'own/index:1'\n    input: path x from ch\n    script: 'x'\n  }\n}\n";
    const config = "process.container = 'own/all:2.4'\nparams.fasta = ''";
    expect(images({ "main.nf": main, "nextflow.config": config })).toEqual(["unzip own/all:2.4", "makeIndex own/index:1"]);
    expect(read({ "main.nf": main, "nextflow.config": config }).languageVersion).toBe("DSL1");
  });
});

describe("typed scripts", () => {
  const TYPES = "nextflow.enable.types = true\nrecord Sample {\n  id: String\n  reads: List<Path>?\n}\nenum Strand { FORWARD, REVERSE }\n";
  const MAIN = `nextflow.preview.output = true
include { Sample ; Strand } from './types'
params {
    input: Path
    images: Map<String,String> = [tool: 'own/tool:1']
}
process TOOL {
    container params.images.tool
    input:
    (meta, reads: List<Path>): Record
    sample: Sample
    record (
        meta: Record,
        index: Path?
    )
    stage:
    stageAs reads, 'x'
    output:
    record(id: sample.id, logs: files("*.log", optional: true))
    idx: Path = file("x")
    topic:
    tuple("\${task.process}", 'x', eval('x --version')) >> 'versions'
    script:
    """
    x
    """
}
def named(x: Integer, y: String = 'a') -> List<Path> { return [] }
workflow INNER {
    take:
    samples: Channel<Sample>
    main:
    TOOL(samples)
    emit:
    out: Channel<Record> = TOOL.out
}
workflow {
    main:
    INNER(channel.fromPath(params.input))
    publish:
    samples = INNER.out
    onComplete:
    log.info 'done'
}
output {
    samples: Channel<Path> {
        path { s -> "samples/\${s.id}" }
        index { path 'samples.csv' }
    }
}
`;

  test("lose one parameter that can't be read, and no more", () => {
    const main = "params {\n  a: String = 'x'\n  b: { String }\n  c: Integer\n}\nworkflow { }";
    const { parameters, diagnostics } = read({ "main.nf": main });
    expect(parameters.map(({ name }) => name)).toEqual(["a", "c"]);
    expect(diagnostics).toMatchObject([{ rule: "nextflow-syntax", line: 3 }]);
  });

  test("with records, sections and an output block have no faults, and their images are found", () => {
    const files = { "main.nf": MAIN, "types.nf": TYPES };
    expect(faults(files)).toEqual([]);
    expect(images(files)).toEqual(["TOOL own/tool:1"]);
  });
});

describe("a configuration", () => {
  const main = "process ONE { container \"${task.ext.image ?: 'own/one:1'}\"\nscript: 'x' }\nworkflow { ONE() }";

  test("may give `ext` in a block of a selector", () => {
    const config = "process {\n  withName: 'ONE' {\n    ext { image = 'ext/one:1' }\n    cpus = 2\n  }\n}";
    expect(images({ "main.nf": main, "nextflow.config": config })).toEqual(["ONE ext/one:1"]);
  });

  test("may name a setting of the same block by its name alone", () => {
    const config =
      "params {\n  tag = '2'\n  image = \"own/named:${tag}\"\n}\nprocess.container = params.image\nprocess { withName: ONE { container = params.image } }";
    expect(images({ "main.nf": main, "nextflow.config": config })).toEqual(["ONE own/named:2"]);
  });

  test("that only another parameter would include is missed with a warning", () => {
    const config = "params.genome = null\nif (params.genome) { includeConfig 'conf/none.config' }";
    expect(faults({ "main.nf": main, "nextflow.config": config })).toMatchObject([
      { rule: "nextflow-missing-config", severity: "warning" },
    ]);
  });
});

describe("scripts that are included with parameters", () => {
  const files = {
    "main.nf":
      "params.tag = '1'\ninclude { ONE } from './m' addParams(tag: '5')\ninclude { ONE as TWO } from './m'\ninclude { SUB } from './s' addParams(tag: '7')\nworkflow { ONE(); TWO(); SUB() }",
    "m.nf": 'process ONE { container "own/one:${params.tag}"\nscript: "x" }',
    "s.nf": "include { ONE as INNER } from './m'\nworkflow SUB { INNER() }",
  };

  test("see their own, and hand them on to what they include", () => {
    expect(images(files)).toEqual(["ONE own/one:5", "TWO own/one:1", "INNER own/one:7"]);
  });

  test("closures of the configuration see them as well", () => {
    const config = "params.tag = '1'\nprocess { withName: ONE { container = { \"cfg/one:${params.tag}\" } } }";
    expect(images({ ...files, "nextflow.config": config })).toEqual(["ONE cfg/one:5", "TWO cfg/one:1", "INNER cfg/one:7"]);
  });
});

test("a switch gives the case taken by default, and the others with what they ask for", () => {
  const main =
    "params.tool = 'b'\nprocess ONE { container { switch (params.tool) { case 'a': return 'own/a:1'; case ['b', 'c']: return 'own/b:1'; default: return 'own/d:1' } }\nscript: 'x' }\nworkflow { ONE() }";
  expect(images({ "main.nf": main })).toEqual([
    "ONE own/b:1",
    "ONE own/a:1 if params.tool == 'a'",
    "ONE own/d:1 if no case of params.tool",
  ]);
});

test("containers for an accelerator are told with the condition, and by default where a task asks for one", () => {
  const main =
    "process ONE { label 'chips'\n container \"${task.accelerator ? 'own/gpu:1' : 'own/cpu:1'}\"\nscript: 'x' }\nworkflow { ONE() }";
  const config = (settings: string) => ({ "main.nf": main, "nextflow.config": settings });
  expect(images(config(""))).toEqual(["ONE own/cpu:1", "ONE own/gpu:1 if task.accelerator"]);
  expect(images(config("process { withLabel: chips { accelerator = 1 } }"))).toEqual([
    "ONE own/gpu:1",
    "ONE own/cpu:1 if !task.accelerator",
  ]);
});

test("scripts that a condition includes under one name are all followed, the default one first", () => {
  const script = (name: string) => `process ${name} { container 'own/${name.toLowerCase()}:1'\nscript: 'x' }\nworkflow WAY { ${name}() }`;
  const main =
    "params.way = 'b'\nif (params.way == 'a') {\n  include { WAY } from './a'\n} else if (params.way == 'b') {\n" +
    "  include { WAY } from './b'\n} else {\n  include { WAY } from './c'\n}\nworkflow { WAY() }";
  const files = { "main.nf": main, "a.nf": script("A"), "b.nf": script("B"), "c.nf": script("C") };
  expect(faults(files)).toEqual([]);
  expect(images(files)[0]).toBe("B own/b:1");
  expect(images(files).sort()).toEqual(["A own/a:1", "B own/b:1", "C own/c:1"]);
});

test("a label directive may give several labels, and an assignment one entry of ext", () => {
  const main =
    "process ONE { label 'big', 'chips'\n container 'own/one:1'\nscript: 'x' }\n" +
    "process TWO { ext.image = 'own/two:2'\n container \"${task.ext.image}\"\nscript: 'x' }\nworkflow { ONE(); TWO() }";
  const config = "process { withLabel: chips { container = 'own/chips:1' } }";
  expect(images({ "main.nf": main, "nextflow.config": config })).toEqual(["ONE own/chips:1", "TWO own/two:2"]);
});

test("profiles that set nothing of containers are not told, those that do are", () => {
  const config =
    "params { tag = '1'\n outdir = null }\nprofiles {\n  test { params.outdir = 'x'\n process { withName: ONE { ext.args = '-x' } } }\n  tagged { params.tag = '2' }\n  docker { docker.enabled = true }\n  gpu { process { withName: ONE { container = 'own/gpu:1' } } }\n}";
  const main = 'process ONE { container "own/one:${params.tag}"\nscript: "x" }\nworkflow { ONE() }';
  expect(images({ "main.nf": main, "nextflow.config": config })).toEqual([
    "ONE own/one:1",
    "ONE own/one:2 if -profile tagged",
    "ONE own/gpu:1 if -profile gpu",
  ]);
});

describe("the pipelines of a repository", () => {
  const found = (files: Files) => pipelineFiles(memoryTree(files));

  test("are scripts with an entry workflow, not the specifications of nf-test", () => {
    const spec =
      'nextflow_workflow {\n  name "x"\n  test("y") {\n    when {\n      workflow {\n        """\n        input[0] = 1\n        """\n      }\n    }\n  }\n}';
    expect(found({ "main.nf": "workflow { }", "sub/tests/main.test.nf": spec, "sub/main.nf": "workflow SUB { main: x() }" })).toEqual([
      "main.nf",
    ]);
  });

  test("are scripts of DSL1 under any name", () => {
    const old = "process one {\n  input:\n  file x from ch\n  output:\n  file 'y' into out\n  script: 'x'\n}";
    const module_ = "process one {\n  input:\n  path x\n  script:\n  '''\n  file list taken from here\n  '''\n}\nworkflow W { one() }";
    expect(found({ "assoc.nf": old, "m/main.nf": module_ })).toEqual(["assoc.nf"]);
  });

  test("are no modules that have a configuration of their own", () => {
    const module_ = "process ONE { script: 'x' }";
    const files = {
      "main.nf": "include { ONE } from './modules/one'\nworkflow { ONE() }",
      "nextflow.config": "includeConfig 'modules/one/nextflow.config'",
      "modules/one/main.nf": module_,
      "modules/one/nextflow.config": "process { withName: ONE { cpus = 2 } }",
    };
    expect(found(files)).toEqual(["main.nf"]);
    expect(found({ "alone/main.nf": module_, "alone/nextflow.config": "" })).toEqual(["alone/main.nf"]);
  });

  test("may name files by patterns that look like comments", () => {
    const text = "ch = channel.fromPath('in/*.fastq')\nworkflow { ONE('https://x.org') }\n/* the end */\n";
    const none = "/* workflow { } */\nprocess P {\n  '''\n  workflow {\n  '''\n}";
    expect(found({ "run.nf": text, "none.nf": none })).toEqual(["run.nf"]);
  });
});
