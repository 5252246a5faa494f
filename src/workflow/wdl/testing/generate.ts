/** Documents made by the grammar: the same ones for the same seed, most of them right, some broken on purpose. */
import { choicesOf, type Choices } from "./choice.ts";
import { anyShape, expression, type Known, type Setting, type Shape, writeShape } from "./generate-expressions.ts";

/** The files of one case by name; `main.wdl` is the one to read. */
export type GeneratedCase = Readonly<Record<string, string>>;

const VERSIONS = ["draft-2", "1.0", "1.1", "1.2", "development"];
const NAMES = [
  "reads",
  "sample_id",
  "threads",
  "ref",
  "prefix",
  "opt",
  "flags",
  "docker",
  "memory",
  "bam",
  "idx",
  "panel",
  "x1",
  "inputs",
  "version_string",
];

interface Interface {
  readonly inputs: readonly { readonly name: string; readonly shape: Shape; readonly hasDefault: boolean }[];
  readonly outputs: readonly { readonly name: string; readonly shape: Shape }[];
}

interface Unit extends Interface {
  readonly name: string;
  readonly text: string;
}

export function generateCase(seed: number): GeneratedCase {
  const choices = choicesOf(seed);
  const rank = choices.pick([0, 1, 1, 2, 2, 2, 3, 4]);
  const structs = rank === 0 ? [] : structsOf(choices, rank);
  const setting: Setting = { choices, rank, structs, known: [] };
  const tasks = ["Align", "Call_Variants", "qc"].slice(0, 1 + choices.below(3)).map((name) => task(name, setting));
  const isImported = choices.chance(0.6);
  const header = rank === 0 ? "" : `${choices.chance(0.3) ? "# a comment\n\n" : ""}version ${VERSIONS[rank] ?? ""}\n`;
  const definitions = structs.map((struct) => writeStruct(struct, choices)).join("");
  const library = `${header}${definitions}${tasks.map((each) => each.text).join("\n")}`;
  const main = workflow("Main", tasks, isImported ? "lib." : "", setting);
  const files: Record<string, string> = isImported
    ? { "lib/tasks.wdl": library, "main.wdl": `${header}import "lib/tasks.wdl" as lib\n${main}` }
    : { "main.wdl": `${library}\n${main}` };
  return choices.chance(0.25) ? damaged(files, choices) : files;
}

function structsOf(choices: Choices, rank: number): Setting["structs"] {
  const made: Extract<Shape, { kind: "Struct" }>[] = [];
  for (const name of ["Sample", "Family"].slice(0, choices.below(3))) {
    const setting: Setting = { choices, rank, structs: [...made], known: [] };
    const members = new Map(["id", "files", "size"].map((member) => [member, anyShape(setting)]));
    made.push({ kind: "Struct", name, members, optional: false });
  }
  return made;
}

const writeStruct = (struct: Setting["structs"][number], choices: Choices): string =>
  `struct ${struct.name} {\n${[...struct.members].map(([name, shape]) => `  ${writeShape(shape, choices)} ${name}\n`).join("")}}\n`;

const noise = (choices: Choices): string => choices.pick(["\n", "\n", "\n\n", " # note: {\n", '\n# } "\n', " "]);

interface WrittenInput {
  readonly name: string;
  readonly shape: Shape;
  readonly hasDefault: boolean;
  readonly text: string;
}

function inputsOf(setting: Setting, count: number): readonly WrittenInput[] {
  const { choices } = setting;
  const known: Known[] = [...setting.known];
  const start = choices.below(NAMES.length);
  return Array.from({ length: count }, (_, index) => {
    const name = NAMES[(start + index) % NAMES.length] ?? "a";
    const shape = anyShape(setting);
    const hasDefault = choices.chance(0.4);
    const value = hasDefault ? ` = ${expression(shape, { ...setting, known: [...known] })}` : "";
    known.push({ text: name, shape });
    return { name, shape, hasDefault, text: `    ${writeShape(shape, choices)} ${name}${value}${noise(choices)}` };
  });
}

function task(name: string, setting: Setting): Unit {
  const { choices, rank } = setting;
  const inputs = inputsOf(setting, choices.below(6));
  const known = inputs.map(({ name: text, shape }) => ({ text, shape }));
  const inner = { ...setting, known };
  const outputs = ["out", "log", "count"].slice(0, 1 + choices.below(3)).map((output) => ({ name: output, shape: anyShape(setting) }));
  const hasSection = rank > 0 || choices.chance(0.5);
  const declared = inputs.map((input) => input.text).join("");
  const results = outputs.map((output) => `    ${writeShape(output.shape, choices)} ${output.name} = ${expression(output.shape, inner)}\n`);
  const text = `task ${name} {
${hasSection ? `  input {\n${declared}  }` : declared}${noise(choices)}${hasSection && choices.chance(0.4) ? `  String private = ${expression({ kind: "String", optional: false }, inner)}\n` : ""}
  command ${command(inner)}
  runtime { docker: ${expression({ kind: "String", optional: false }, inner)}${choices.pick([" ", ", ", "\n"])}cpu: 2 memory: "4 GiB" }
  output {\n${results.join("")}  }
${metaOf(inputs, choices)}}
`;
  return { name, text, inputs, outputs };
}

function command(setting: Setting): string {
  const { choices, rank } = setting;
  const inserted = expression({ kind: "String", optional: false }, { ...setting, choices });
  const body = `\n    set -e; echo "$HOME" '#x' \\\n`;
  if (choices.chance(0.5)) return `<<<${body}    awk '{print $1}' ${rank === 0 ? "$" : "~"}{${inserted}} >> out\n  >>>`;
  return `{${body}    run ${rank > 0 && choices.chance(0.5) ? "~" : "$"}{${inserted}}\n  }`;
}

function metaOf(inputs: Interface["inputs"], choices: Choices): string {
  if (choices.chance(0.5)) return "";
  const entries = inputs.map(
    ({ name }) => `    ${name}: ${choices.pick(['"some text"', "'it is ~{x}'", '{ description: "d", n: [1, -2.5, true], o: {} }'])}\n`,
  );
  return `  parameter_meta {\n${entries.join("")}  }\n  meta { version: "1.0" }\n`;
}

function workflow(name: string, tasks: readonly Unit[], namespace: string, outer: Setting): string {
  // A struct of the library is there in the importing document under its own name.
  const { choices, rank } = outer;
  const inputs = inputsOf(outer, choices.below(8));
  const known: Known[] = inputs.map(({ name: text, shape }) => ({ text, shape }));
  const setting = { ...outer, known };
  const body: string[] = [];
  for (const [index, each] of tasks.entries()) body.push(call(each, `${namespace}${each.name}`, `c${index}`, setting));
  body.push(
    `  ${choices.pick(["scatter (i in range(3))", "if (true)", "if (1 < 2)"])} {\n  ${call(tasks[0] ?? never(), `${namespace}${tasks[0]?.name ?? ""}`, "again", setting)}    Int inner_value = 1\n  }\n`,
  );
  const results = tasks.flatMap((each, index) => each.outputs.map((output) => ({ ...output, text: `c${index}.${output.name}` })));
  const outputs = results.map((result, index) => `    ${writeShape(result.shape, choices)} o${index} = ${result.text}\n`);
  const hasSection = rank > 0 || choices.chance(0.4);
  const declared = inputs.map((input) => input.text).join("");
  return `workflow ${name} {
${hasSection ? `  input {\n${declared}  }\n` : declared}
${choices.chance(0.5) ? body.join(noise(choices)) : body.toReversed().join("\n")}
  output {\n${outputs.join("")}  }
${metaOf(inputs, choices)}}
`;
}

function never(): never {
  throw new Error("a case has at least one task");
}

function call(unit: Unit, target: string, alias: string, setting: Setting): string {
  const { choices, rank } = setting;
  const given = unit.inputs.filter((input) => (!input.hasDefault && !input.shape.optional) || choices.chance(0.5));
  const values = given.map(({ name, shape }) => `${name} = ${expression(shape, setting)}`);
  const start = rank >= 3 && choices.chance(0.5) ? "" : "input: ";
  const body =
    values.length === 0 ? (choices.chance(0.5) ? "" : " { }") : ` { ${start}${values.join(", ")}${choices.chance(0.3) ? "," : ""} }`;
  return `  call ${target} as ${alias}${body}\n`;
}

/** One thing wrong: a piece cut out, a name or a type changed, a bracket lost. */
function damaged(files: Record<string, string>, choices: Choices): GeneratedCase {
  const name = choices.pick(Object.keys(files));
  const text = files[name] ?? "";
  const damage: readonly ((text: string) => string)[] = [
    (whole) => whole.replace(/\bInt\b/, "String"),
    (whole) => whole.replace(/\bString\b/, "Int"),
    (whole) => whole.replace(/\bArray\[/, "Map["),
    (whole) => whole.replace(" as c0", " as Main"),
    (whole) => whole.replace(/c0\.\w+/, "c0.nothing"),
    (whole) => whole.replace(/\)/, ""),
    (whole) => whole.replace("input: ", "input: unknown_input = 1, "),
    (whole) => whole.replace(/ = /, " == "),
    (whole) => whole.replace("tasks.wdl", "missing.wdl"),
    (whole) => whole.replace(/\?/, ""),
    (whole) => whole.replace(/range/, "rangee"),
    (whole) => whole.slice(0, Math.floor(whole.length * 0.7)),
    (whole) => whole.replace("task qc", "task Align"),
    (whole) => whole.replace(/ {4}(\S+) (\w+)/, "    $1 $2\n    $1 $2"),
  ];
  return { ...files, [name]: choices.pick(damage)(text) };
}
