import { describe, expect, test } from "vitest";
import { memoryTree } from "../source-tree.ts";
import { readNextflow } from "./read.ts";

const read = (files: Readonly<Record<string, string>>) => readNextflow(memoryTree(files), "main.nf");

/** A pipeline of one process with this body. */
const withBody = (body: string, config = "") =>
  read({ "main.nf": `process ONE {\n${body}\nscript:\n"true"\n}\nworkflow { ONE() }\n`, "nextflow.config": config });

const shown = ({ images }: ReturnType<typeof read>) => images.map(({ image, how, condition, input }) => ({ image, how, condition, input }));

describe("a container directive", () => {
  test("of plain text is a literal, at its line", () => {
    expect(withBody("label 'x'\ncontainer 'quay.io/a/b:1'").images).toEqual([
      { image: "quay.io/a/b:1", task: "ONE", file: "main.nf", line: 3, how: "literal" },
    ]);
  });

  test("of a ternary over the engine gives the docker branch, and the other with its condition", () => {
    const body =
      "container \"${ workflow.containerEngine == 'singularity' && !task.ext.singularity_pull_docker_container ?\n" +
      "  'https://depot.galaxyproject.org/singularity/a:1' :\n  'biocontainers/a:1' }\"";
    expect(withBody(body).images).toEqual([
      { image: "biocontainers/a:1", task: "ONE", file: "main.nf", line: 4, how: "ternary" },
      {
        image: "https://depot.galaxyproject.org/singularity/a:1",
        task: "ONE",
        file: "main.nf",
        line: 3,
        how: "ternary",
        condition: "workflow.containerEngine == 'singularity' && !task.ext.singularity_pull_docker_container",
      },
    ]);
  });

  test("of a ternary with a list of engines does as well", () => {
    const result = shown(withBody("container \"${ workflow.containerEngine in ['singularity', 'apptainer'] ? 'oras://x/y' : 'x/y:1' }\""));
    expect(result[0]).toEqual({ image: "x/y:1", how: "ternary", condition: undefined, input: undefined });
    expect(result[1]?.condition).toBe("workflow.containerEngine in ['singularity', 'apptainer']");
  });

  test("of nested ternaries gives every branch", () => {
    const body =
      "container \"${workflow.containerEngine == 'singularity' ? 'https://s' : params.gpu ? 'x:gpu' : params.arm ? 'x:arm' : 'x:cpu'}\"";
    expect(shown(withBody(body, "params.gpu = false\nparams.arm = false"))).toEqual([
      { image: "x:cpu", how: "ternary", condition: undefined, input: "arm" },
      { image: "x:arm", how: "ternary", condition: "params.arm", input: "arm" },
      { image: "x:gpu", how: "ternary", condition: "params.gpu", input: "gpu" },
      { image: "https://s", how: "ternary", condition: "workflow.containerEngine == 'singularity'", input: undefined },
    ]);
  });

  test("takes a parameter's default and names the parameter", () => {
    expect(shown(withBody('container "${params.host}/a:${params.tag}"', "params.host = 'h.io'\nparams { tag = 2 }"))).toEqual([
      { image: "h.io/a:2", how: "default", condition: undefined, input: "host" },
    ]);
  });

  test("of a closure is evaluated", () => {
    expect(shown(withBody("container { params.big ? 'a:big' : 'a:small' }", "params.big = true"))).toEqual([
      { image: "a:big", how: "ternary", condition: undefined, input: "big" },
      { image: "a:small", how: "ternary", condition: "!params.big", input: "big" },
    ]);
  });

  test("under an if gives both sides", () => {
    const body = "if (workflow.containerEngine == 'singularity' && !params.pull) {\n container 'https://s' } else {\n container 'd:1' }";
    expect(shown(withBody(body))).toMatchObject([
      { image: "d:1" },
      { image: "https://s", condition: "workflow.containerEngine == 'singularity' && !params.pull" },
    ]);
  });

  test("of an input without a default is unresolved, never a guess", () => {
    const result = withBody('container "${params.registry}/a:1"');
    expect(result.images).toEqual([]);
    expect(result.unresolved).toEqual([{ expression: "${params.registry}/a:1", task: "ONE", file: "main.nf", line: 2, input: "registry" }]);
    expect(withBody("container params.image").unresolved).toMatchObject([{ expression: "${params.image}", input: "image" }]);
  });

  test("of a value that only a run knows is unresolved without an input", () => {
    expect(withBody('container "a:${meta.tag}"').unresolved).toEqual([
      { expression: "a:${meta.tag}", task: "ONE", file: "main.nf", line: 2 },
    ]);
  });

  test("may be assigned, and the last one counts", () => {
    expect(shown(withBody("container 'a:1'\ncontainer = 'a:2'"))).toMatchObject([{ image: "a:2" }]);
  });

  test("of null gives nothing", () => {
    const result = withBody("container null");
    expect([result.images, result.unresolved]).toEqual([[], []]);
  });
});

describe("docker.registry", () => {
  const image = (reference: string, config: string) => withBody(`container '${reference}'`, config).images[0]?.image;

  test("goes before references that name no host, in block and dotted form", () => {
    expect(image("biocontainers/a:1", "docker.registry = 'quay.io'")).toBe("quay.io/biocontainers/a:1");
    expect(image("a:1", "docker {\n  registry = 'quay.io/'\n}")).toBe("quay.io/a:1");
  });

  test("stays away from references with a host or a port", () => {
    for (const reference of ["quay.io/x/a:1", "community.wave.seqera.io/library/a:1", "localhost:5000/a:1"]) {
      expect(image(reference, "docker.registry = 'quay.io'")).toBe(reference);
    }
  });

  test("of a parameter without a default leaves the image to that input", () => {
    const result = withBody("container 'quay/a:1'", "docker.registry = params.ecr_registry");
    expect(result.images).toEqual([]);
    expect(result.unresolved).toMatchObject([{ expression: "${params.ecr_registry}/quay/a:1", input: "ecr_registry" }]);
  });

  test("of a parameter with a default names the parameter", () => {
    const config = "params.ecr_registry = '123456789012.dkr.ecr.us-east-1.amazonaws.com'\ndocker.registry = params.ecr_registry";
    expect(withBody("container 'quay/a:1'", config).images).toMatchObject([
      { image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/quay/a:1", input: "ecr_registry" },
    ]);
  });
});

describe("the configuration", () => {
  test("overrides by selectors of included files; files that nothing includes and profiles are no defaults", () => {
    const result = withBody("container 'own:1'", "profiles {\n  arm64 { process { withName: ONE { container = 'arm:1' } } }\n}");
    expect(result.images).toMatchObject([{ image: "own:1" }, { image: "arm:1", how: "profile", condition: "-profile arm64" }]);
    const included = read({
      "main.nf": "process ONE { container 'own:1'\nscript: 'true' }\nworkflow { ONE() }",
      "nextflow.config": "includeConfig 'conf/a.config'",
      "conf/a.config": "includeConfig 'b.config'",
      "conf/b.config": "process {\n  withName: 'ONE|TWO' {\n    container = 'b:1'\n  }\n}",
      "conf/never.config": "process.container = 'never:1'",
    });
    expect(included.images).toEqual([{ image: "b:1", task: "ONE", file: "conf/b.config", line: 3, how: "selector" }]);
  });

  test("that hits only an alias gives one process two images", () => {
    const result = read({
      "main.nf": "include { A; A as A_AGAIN; A as A_THIRD } from './m'\nworkflow { A(); A_AGAIN(); A_THIRD() }",
      "m.nf": "process A { container 'a:1'\nscript: 'true' }",
      "nextflow.config": "process { withName: A_AGAIN { container = 'a:2' } }",
    });
    expect(result.images.map(({ task, image }) => [task, image])).toEqual([
      ["A", "a:1"],
      ["A_AGAIN", "a:2"],
    ]);
  });

  test("gives process.container to those without one", () => {
    expect(shown(withBody("", "process.container = 'd:1'"))).toEqual([
      { image: "d:1", how: "config", condition: undefined, input: undefined },
    ]);
    expect(shown(withBody("container 'own:1'", "process.container = 'd:1'"))).toMatchObject([{ image: "own:1" }]);
  });

  test("under an if tells what a parameter would change", () => {
    expect(
      shown(
        withBody(
          "container 'own:1'",
          "params.gpu = false\nif (params.gpu) {\n process.container = 'x:1'\n process { withName: ONE { container = 'gpu:1' } }\n}",
        ),
      ),
    ).toEqual([
      { image: "own:1", how: "literal", condition: undefined, input: undefined },
      { image: "gpu:1", how: "selector", condition: "params.gpu", input: "gpu" },
    ]);
  });
});

describe("tasks", () => {
  test("are the processes that the entry workflow reaches", () => {
    const result = read({
      "main.nf": "include { SUB } from './sub'\nworkflow { SUB() }",
      "sub.nf": "include { USED; UNUSED } from './m'\nworkflow SUB { take: x\nmain: x | map { it } | USED }\nworkflow OTHER { UNUSED() }",
      "m.nf": "process USED { container 'u:1'\nscript: 'true' }\nprocess UNUSED { container 'n:1'\nscript: 'true' }",
    });
    expect(result.images.map(({ image }) => image)).toEqual(["u:1"]);
  });

  test("of a module on its own are its processes", () => {
    expect(read({ "main.nf": "process A { container 'a:1'\nscript: 'true' }" }).images).toMatchObject([{ task: "A", image: "a:1" }]);
  });

  test("of a missing or broken module are left out, the others read", () => {
    const result = read({
      "main.nf": "include { A } from './a'\ninclude { B } from './b'\ninclude { C } from './c'\nworkflow { A(); B(); C() }",
      "b.nf": "process B {\n container 'b:1'\n script:\n \"true\"\n}\ndef broken( {\n",
      "c.nf": "process C { container 'c:1'\nscript: 'true' }",
    });
    expect(result.images.map(({ image }) => image).sort()).toEqual(["b:1", "c:1"]);
    expect(result.diagnostics.filter(({ severity }) => severity === "error").map(({ rule, file, line }) => [rule, file, line])).toEqual([
      ["nextflow-syntax", "b.nf", 6],
      ["nextflow-missing-include", "main.nf", 1],
    ]);
  });
});
