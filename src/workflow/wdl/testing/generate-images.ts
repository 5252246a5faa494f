/** Documents in which images travel: through inputs, structs, sub-workflows, sections and expressions. */
import { choicesOf, type Choices } from "./choice.ts";
import type { GeneratedCase } from "./generate.ts";

interface Setting {
  readonly choices: Choices;
  /** Names of String values that are there, in the order in which they were made. */
  readonly texts: string[];
  readonly maybeTexts: string[];
  readonly flags: string[];
  readonly structs: string[];
  count: number;
}

const STRUCT = "struct Images { String main  String? spare  Array[String] more }\n";

export function generateImageCase(seed: number): GeneratedCase {
  const choices = choicesOf(seed);
  const version = choices.pick(["1.0", "1.1"]);
  const tasks = ["Align", "Sort", "Report"].map((name) => task(name, choices)).join("\n");
  return {
    "tasks.wdl": `version ${version}\n${STRUCT}${tasks}`,
    "globals.wdl": `version ${version}\n${STRUCT}${globals(choices)}`,
    "sub.wdl": `version ${version}\nimport "tasks.wdl" as tasks\nimport "globals.wdl" as globals\n${workflow("Sub", choices, ["tasks.Align", "tasks.Sort"])}`,
    "main.wdl": `version ${version}\nimport "sub.wdl" as sub\nimport "tasks.wdl" as tasks\nimport "globals.wdl" as globals\n${workflow("Main", choices, ["sub.Sub", "tasks.Sort", "tasks.Report"])}`,
  };
}

const fresh = (setting: Setting, prefix: string): string => `${prefix}${(setting.count += 1)}`;

function task(name: string, choices: Choices): string {
  const image = choices.pick([
    "image",
    '"~{image}"',
    'if flag then image else image + "-plain"',
    "select_first([spare, image])",
    '"~{registry}/~{image}"',
    '"~{registry + "/"}" + sub(image, "quay", "q")',
    "tagged",
  ]);
  const preset = choices.pick(["", ` = "${name.toLowerCase()}:default"`]);
  return `task ${name} {
  input { String image${preset} String? spare Boolean flag = ${choices.pick(["true", "false"])} String registry = "quay.io" }
  String tagged = image + "-" + length([1, 2])
  command <<< >>>
  runtime { ${choices.pick(["docker", "container"])}: ${image} }
  output { String name = "~{image}.out" File log = "log" }
}
`;
}

function globals(choices: Choices): string {
  return `workflow Globals {
  input { String registry = "${choices.pick(["ecr", "ghcr.io/x"])}" String? tag }
  String version = select_first([tag, "${choices.below(9)}.0"])
  Images images = object { main: "~{registry}/main:~{version}", more: ["~{registry}/a:1", "b:" + version] }
  output { Images images_out = images String one = images.main }
}
`;
}

function workflow(name: string, choices: Choices, targets: readonly string[]): string {
  const setting: Setting = { choices, texts: [], maybeTexts: [], flags: [], structs: [], count: 0 };
  const inputs = Array.from({ length: 2 + choices.below(4) }, () => input(setting)).join("");
  const body = [
    "  call globals.Globals" + (choices.chance(0.5) && setting.texts.length > 0 ? ` { input: registry = ${text(setting)} }\n` : "\n"),
  ];
  setting.structs.push("Globals.images_out");
  setting.texts.push("Globals.one");
  for (const target of targets) body.push(declarations(setting), placedCall(target, setting));
  return `workflow ${name} {\n  input {\n${inputs}    String? sub_image\n  }\n${body.join("")}  output { String result = ${text(setting)} }\n}\n`;
}

function input(setting: Setting): string {
  const { choices, texts, maybeTexts, flags } = setting;
  const kind = choices.pick(["text", "text", "required", "maybe", "flag"]);
  const name = fresh(setting, "in_");
  if (kind === "text") {
    const value = texts.length > 0 && choices.chance(0.3) ? `~{${choices.pick(texts)}}-x` : `img${choices.below(50)}:${choices.below(9)}`;
    texts.push(name);
    return `    String ${name} = "${value}"\n`;
  }
  (kind === "required" ? texts : kind === "maybe" ? maybeTexts : flags).push(name);
  return kind === "flag"
    ? `    Boolean ${name} = ${choices.pick(["true", "false"])}\n`
    : `    String${kind === "maybe" ? "?" : ""} ${name}\n`;
}

function text(setting: Setting): string {
  const { choices, texts, maybeTexts, flags, structs } = setting;
  const one = (): string => (texts.length > 0 ? choices.pick(texts) : '"lit:1"');
  const forms: (() => string)[] = [
    one,
    one,
    () => `"lit${choices.below(20)}:2"`,
    () => `"~{${one()}}.y"`,
    () => `${one()} + "-z"`,
    () => `basename(${one()}, "-x")`,
  ];
  if (maybeTexts.length > 0) forms.push(() => `select_first([${choices.pick(maybeTexts)}, ${one()}])`);
  if (flags.length > 0) forms.push(() => `if ${choices.pick(flags)} then ${one()} else ${one()}`);
  if (structs.length > 0) forms.push(() => `${choices.pick(structs)}.${choices.pick(["main", "more[0]", "more[1]"])}`);
  if (maybeTexts.length > 0) forms.push(() => `if defined(${choices.pick(maybeTexts)}) then ${one()} else ${one()}`);
  return choices.pick(forms)();
}

function declarations(setting: Setting): string {
  const { choices } = setting;
  return Array.from({ length: choices.below(3) }, () => {
    const name = fresh(setting, "d_");
    const form = choices.below(4);
    const value = text(setting);
    if (form === 0 && setting.flags.length > 0) {
      const line = `  if (${choices.pick(setting.flags)}) { String ${name} = ${value} }\n`;
      setting.maybeTexts.push(name);
      return line;
    }
    if (form === 1) {
      const line = `  Images ${name} = object { main: ${value}, more: [${text(setting)}, "m:1"] }\n`;
      setting.structs.push(name);
      return line;
    }
    const line =
      form === 2
        ? `  Map[String, String] m_${name} = {"a": ${value}}\n  String ${name} = m_${name}["a"]\n`
        : `  String ${name} = ${value}\n`;
    setting.texts.push(name);
    return line;
  }).join("");
}

function placedCall(target: string, setting: Setting): string {
  const { choices, flags } = setting;
  const alias = fresh(setting, "c_");
  const key = target === "sub.Sub" ? "sub_image" : "image";
  const call = (image: string): string => `call ${target} as ${alias} { input: ${key} = ${image} }`;
  const place = choices.below(4);
  if (place === 0 && flags.length > 0) return `  if (${choices.pick(flags)}) { ${call(text(setting))} }\n`;
  if (place === 1)
    return `  scatter (${alias}_item in [${text(setting)}, ${text(setting)}]) { ${call(choices.chance(0.6) ? `${alias}_item` : text(setting))} }\n`;
  const line = `  ${call(text(setting))}\n`;
  if (target !== "sub.Sub") setting.texts.push(`${alias}.name`);
  else setting.texts.push(`${alias}.result`);
  return line;
}
