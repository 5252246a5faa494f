import { describe, expect, test } from "vitest";
import { memoryTree } from "../source-tree.ts";
import { readWdl } from "./read.ts";

const read = (texts: Record<string, string> | string) =>
  readWdl(memoryTree(typeof texts === "string" ? { "main.wdl": texts } : texts), "main.wdl");

/** Image, and how, input and condition where they are set. */
const images = (texts: Record<string, string> | string) =>
  read(texts).images.map(({ image, how, input, condition }) =>
    [image, how, input, condition].filter((part) => part !== undefined).join(" | "),
  );

const unresolved = (texts: Record<string, string> | string) =>
  read(texts).unresolved.map(({ task, expression, input }) => [task, expression, input].filter((part) => part !== undefined).join(" | "));

const task = (docker: string, inputs = "", key = "docker") => `
task T {
  input { ${inputs} }
  command <<< >>>
  runtime { ${key}: ${docker} }
}
`;
const required = task("image", "String image");
const main = (body: string, rest: string) => `version 1.1\nworkflow W {\n${body}\n}\n${rest}`;

describe("in the task itself", () => {
  test.each([
    ["a literal", task('"ubuntu:22.04"'), "ubuntu:22.04 | literal"],
    ["single quotes and container", task("'ubuntu:22.04'", "", "container"), "ubuntu:22.04 | literal"],
    ["container before docker", task('"a:1" container: "b:1"'), "b:1 | literal"],
    ["an input's default", task("image", 'String image = "quay.io/x/y:1"'), "quay.io/x/y:1 | default"],
    ["interpolation", task('"quay.io/x/~{name}:${version}"', 'String name = "y" String version = "1.0"'), "quay.io/x/y:1.0 | default"],
    ["concatenation", task('prefix + "/y:" + 3', 'String prefix = "quay.io/x"'), "quay.io/x/y:3 | default"],
    [
      "select_first with a version",
      task('select_first([override, "x/y:" + version])', 'String? override String version = "2"'),
      "x/y:2 | default",
    ],
    ["a decided ternary", task('if gpu then "a:gpu" else "a:cpu"', "Boolean gpu = false"), "a:cpu | ternary"],
    ["sub", task('sub("x/y:1.0-dev", "-dev$", "")'), "x/y:1.0 | literal"],
    ["basename", task('"x/" + basename("/a/b.tar", ".tar")'), "x/b | literal"],
    ["an array's item", task('["a:1", "b:1"][1]'), "b:1 | variable"],
    ["a map's value", task('{"x": "a:1", "y": "b:1"}["y"]'), "b:1 | member"],
    ["a pair's side", task('("a:1", "b:1").right'), "b:1 | member"],
    ["an object's member", task("o.image", 'S o = S { image: "s:1" }') + "struct S { String image }", "s:1 | member"],
    ["a map given to a struct", task("o.image", 'S o = {"image": "s:1"}') + "struct S { String image }", "s:1 | member"],
    ["length", task('"a:" + length(["x", "y"])'), "a:2 | literal"],
    ["defined", task('if defined(x) then "a:1" else "b:1"', "String? x"), "b:1 | ternary"],
    ["spaces around it", task('" ubuntu:22.04 "'), "ubuntu:22.04 | literal"],
  ])("%s", (_, text, expected) => {
    expect(images(main("call T", text))).toEqual([expected]);
  });

  test("an array of images: each of them", () => {
    expect(images(main("call T", task('["a:1", "b:1"]', "", "container")))).toEqual(["a:1 | literal", "b:1 | literal"]);
  });

  test("requirements of WDL 1.2", () => {
    const text = 'version 1.2\nworkflow W { call T }\ntask T { command <<< >>> requirements { container: "a:1" } }';
    expect(images(text)).toEqual(["a:1 | literal"]);
  });

  test("a private declaration", () => {
    const text =
      'version 1.0\nworkflow W { call T }\ntask T { String image = "a:1" + suffix\n String suffix = "-x"\n command {} runtime { docker: image } }';
    expect(images(text.replace("T {", "T { input { Int n = 1 }"))).toEqual(["a:1-x | variable"]);
  });

  test("file and line are where the image is written", () => {
    const text =
      main('call T { input: image = dockers.t }\nS dockers = S {\n t: "a:1"\n}', task("image", "String image")) + "struct S { String t }";
    expect(read(text).images[0]).toMatchObject({ image: "a:1", task: "T", file: "main.wdl", line: 5, how: "member" });
  });

  test("no image where nothing names one, or any will do", () => {
    const text = main("call T call U", `${task('"*"')}task U { command <<< >>> }`);
    expect([images(text), unresolved(text)]).toEqual([[], []]);
  });
});

describe("through calls", () => {
  const defaulted = task("image", 'String image = "task:1"');

  test("a workflow's default reaches a required input of the task", () => {
    expect(images(main('input { String d = "w:1" } call T { input: image = d }', required))).toEqual(["w:1 | default | d"]);
  });

  test("the caller's value wins over the task's default", () => {
    expect(images(main('input { String d = "w:1" } call T { input: image = d }', defaulted))).toEqual(["w:1 | override | d"]);
  });

  test("a literal in the call", () => {
    expect(images(main('call T { input: image = "w:1" }', required))).toEqual(["w:1 | override"]);
  });

  test("changing names over several levels and files", () => {
    const texts = {
      "main.wdl":
        'version 1.0\nimport "lib/sub.wdl"\nworkflow W { input { String tools_docker = "tools:7" } call sub.Sub as S { input: docker_for_tools = tools_docker } }',
      "lib/sub.wdl":
        'version 1.0\nimport "../tasks/t.wdl" as tasks\nworkflow Sub { input { String docker_for_tools } call tasks.T { input: image = docker_for_tools } }',
      "tasks/t.wdl": `version 1.0\n${required}`,
    };
    expect(read(texts).images).toEqual([{ image: "tools:7", task: "T", file: "main.wdl", line: 3, how: "default", input: "tools_docker" }]);
  });

  test("a required input of the main workflow leaves it unresolved, by the main workflow's name", () => {
    const texts = {
      "main.wdl": 'version 1.0\nimport "sub.wdl"\nworkflow W { input { String x_docker } call sub.Sub { input: d = x_docker } }',
      "sub.wdl": `version 1.0\nworkflow Sub { input { String d } call T { input: image = "quay.io/" + d } }${required}`,
    };
    expect(read(texts).images).toEqual([]);
    expect(read(texts).unresolved).toEqual([
      { expression: "image", task: "T", file: "sub.wdl", line: 6, input: "x_docker", patterns: ["quay.io/~{x_docker}"] },
    ]);
  });

  test("the outputs of a called workflow without tasks", () => {
    const texts = {
      "main.wdl": `version 1.0
import "globals.wdl" as g
workflow W {
  input { String? registry }
  call g.Globals { input: registry = registry }
  call T { input: image = Globals.dockers.t }
}${required}`,
      "globals.wdl": `version 1.0
struct Dockers { String t  String u }
workflow Globals {
  input { String registry = "public.ecr.aws" }
  output { Dockers dockers = object { t: "~{registry}/t:1", u: "u:1" } }
}`,
    };
    expect(images(texts)).toEqual(["public.ecr.aws/t:1 | member | registry"]);
    expect(read(texts).images[0]).toMatchObject({ file: "globals.wdl", line: 5 });
  });

  test("null for an input that has a default takes the default, for one that is optional stays null", () => {
    expect(images(main("input { String? d } call T { input: image = d }", defaulted))).toEqual(["task:1 | default | d"]);
    const optional = task('select_first([image, "else:1"])', "String? image");
    expect(images(main("input { String? d } call T { input: image = d }", optional))).toEqual(["else:1 | literal | d"]);
  });

  test("a guarded task: the main workflow's optional input decides", () => {
    const text = main("input { String? x_docker } if (defined(x_docker)) { call T { input: image = select_first([x_docker]) } }", required);
    expect([images(text), unresolved(text)]).toEqual([[], ["T | image | x_docker"]]);
  });

  test("an incomplete call: call.input decides", () => {
    expect(unresolved(main("call T as Align", required))).toEqual(["T | image | Align.image"]);
  });

  test("one image for one task, however often it is called", () => {
    expect(images(main('call T call T as U call T as V { input: image = "v:1" }', defaulted))).toEqual([
      "task:1 | default",
      "v:1 | override",
    ]);
  });

  test("a draft-2 workflow hands on its calls' outputs", () => {
    const texts = {
      "main.wdl": `import "sub.wdl" as s\nworkflow W { call s.Sub call T { input: image = Sub.Name.out } }\ntask T { String image command {} runtime { docker: image } }`,
      "sub.wdl": 'workflow Sub { call Name }\ntask Name { command {} output { String out = "n:1" } }',
    };
    expect(images(texts)).toEqual(["n:1 | variable"]);
  });

  test("what only a run can tell is unresolved, with no input", () => {
    const text = main(
      "call N call T { input: image = N.out }",
      `${required}task N { command <<< >>> output { String out = read_string(stdout()) } }`,
    );
    expect([images(text), unresolved(text)]).toEqual([[], ["T | image"]]);
  });
});

describe("an image that a task finds out: the input that the task is given decides", () => {
  const found = (declaration: string, image: string) => {
    const outputs = "File json = 'tags.json' String tag = read_string(stdout()) Map[String, String] tags = read_map(stdout())";
    const reader = `task N { input { File f } command <<< >>> output { ${outputs} } }`;
    return unresolved(
      main(`input { File conf } call N { input: f = conf } ${declaration} call T { input: image = ${image} }`, required + reader),
    );
  };

  test.each([
    ["", "N.tag"],
    ["", '"x/y:" + N.tag'],
    ["", 'N.tags["t"]'],
    ["Map[String, String] m = read_json(N.json)", 'm["t"]'],
    ["Array[String] lines = read_lines(N.json)", "lines[0]"],
    ["String direct = read_string(conf)", "direct"],
  ])("%s %s", (declaration, image) => {
    expect(found(declaration, image)).toEqual(["T | image | conf"]);
  });
});

describe("conditions", () => {
  test("a ternary on a required input: both branches", () => {
    const text = main('input { String cloud } call T { input: image = if cloud == "gcp" then "gcr.io/t:1" else "quay.io/t:1" }', required);
    expect(images(text)).toEqual(['gcr.io/t:1 | ternary | cloud | cloud == "gcp"', 'quay.io/t:1 | ternary | cloud | !(cloud == "gcp")']);
  });

  test("the same condition twice gives two images, not four", () => {
    const text = main(
      `input { String cloud }
      String host = if cloud == "gcp" then "gcr.io" else "quay.io"
      String tag = if cloud != "gcp" then "quay" else "gcr"
      call T { input: image = host + "/t:" + tag }`,
      required,
    );
    expect(images(text).map((line) => line.split(" ")[0])).toEqual(["gcr.io/t:gcr", "quay.io/t:quay"]);
  });

  test("comparisons that exclude each other", () => {
    const text = main(
      `input { String cloud }
      if (cloud == "aws") { String a = "aws:1" }
      if (cloud == "gcp") { String b = "gcp:1" }
      call T { input: image = select_first([a, b]) }`,
      required,
    );
    expect(images(text).map((line) => line.split(" ")[0])).toEqual(["aws:1", "gcp:1"]);
  });

  test("inside its own section a condition holds", () => {
    const text = main(
      `input { Boolean gpu }
      String d = if gpu then "t:gpu" else "t:cpu"
      if (gpu) { call T { input: image = d } }`,
      required,
    );
    expect(images(text).map((line) => line.split(" ")[0])).toEqual(["t:gpu"]);
  });

  test("a declaration in a section that does not run is null outside", () => {
    const text = main(
      `input { Boolean own = false }
      if (own) { String a = "own:1" }
      call T { input: image = select_first([a, "else:1"]) }`,
      required,
    );
    expect(images(text)).toEqual(["else:1 | override | own"]);
  });

  test("a configuration workflow that knows several clouds, one image on two of them", () => {
    const section = (cloud: string, registry: string) =>
      `if (cloud == "${cloud}") { Config ${cloud}_config = { "registry": "${registry}", "queue": "q" } }\n`;
    const texts = {
      "main.wdl": `version 1.0
import "config.wdl"
workflow W {
  input { String cloud }
  call config.Configure { input: cloud = cloud }
  call T { input: config = Configure.config }
}
task T { input { Config config } command <<< >>> runtime { docker: "~{config.registry}/t:1" } }`,
      "config.wdl": `version 1.0
struct Config { String registry String queue }
workflow Configure {
  input { String cloud }
  ${section("gcp", "gcr.io/x")}${section("azure", "quay.io/x")}${section("aws", "quay.io/x")}
  output { Config config = select_first([gcp_config, azure_config, aws_config]) }
}`,
    };
    expect(read(texts).images.map(({ image, input }) => [image, input])).toEqual([
      ["gcr.io/x/t:1", "cloud"],
      ["quay.io/x/t:1", "cloud"],
    ]);
    expect(unresolved(texts)).toEqual([]);
  });

  test("a map looked into with a required input: each of its values", () => {
    const text = main('input { String kind } Map[String, String] d = {"x": "x:1", "y": "y:1"} call T { input: image = d[kind] }', required);
    expect(read(text).images.map(({ image, input }) => [image, input])).toEqual([
      ["x:1", "kind"],
      ["y:1", "kind"],
    ]);
    expect(unresolved(text)).toEqual([]);
  });

  test("each item of a scatter, its parts kept together", () => {
    const text = main(
      'scatter (p in [("a", "1"), ("b", "2")]) { String d = p.left + ":" + p.right call T { input: image = d } }',
      required,
    );
    expect(images(text).map((line) => line.split(" ")[0])).toEqual(["a:1", "b:2"]);
  });

  test("a scatter over unknown items does not hide what does not depend on them", () => {
    const text = main('input { Array[File] reads } scatter (r in reads) { String d = "t:1" call T { input: image = d } }', required);
    expect(images(text)).toEqual(["t:1 | variable"]);
  });

  test("a declaration in a scatter is an array outside", () => {
    const text = main('scatter (n in ["a", "b"]) { String d = n + ":1" } call T { input: image = d[1] }', required);
    expect(images(text)).toEqual(["b:1 | variable"]);
  });
});
