/** Documents of CWL from a grammar: valid ones in all the forms that the language lets people write the same thing in. */
import { stringify } from "yaml";

type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** Answers of a generator with a fixed seed (mulberry32). */
class Choice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  upTo(count: number): number {
    return Math.floor(this.next() * count);
  }

  of<T>(items: readonly [T, ...T[]]): T {
    return items[this.upTo(items.length)] ?? items[0];
  }

  chance(part: number): boolean {
    return this.next() < part;
  }
}

/** The files of one definition; `main.cwl` is the main one. The same seed gives the same files. */
export function generateCase(seed: number): Readonly<Record<string, string>> {
  const maker = new Maker(new Choice(seed));
  return maker.choice.chance(0.2) ? maker.packed() : maker.folder();
}

class Maker {
  readonly choice: Choice;
  readonly #files = new Map<string, Plain>();
  readonly #version: "v1.0" | "v1.1" | "v1.2";
  #counter = 0;

  constructor(choice: Choice) {
    this.choice = choice;
    this.#version = choice.of(["v1.0", "v1.1", "v1.2"]);
  }

  folder(): Readonly<Record<string, string>> {
    this.#put("main.cwl", { cwlVersion: this.#version, ...(this.choice.chance(0.3) ? this.#tool() : this.#workflow(0)) });
    return Object.fromEntries([...this.#files].map(([name, content]) => [name, this.#written(content)]));
  }

  packed(): Readonly<Record<string, string>> {
    const tool = this.#tool();
    const names = namesOf(tool["inputs"] ?? {});
    const step = { run: "#tool", in: this.#links(names, ["y"]), out: [] };
    const main = {
      class: "Workflow",
      id: this.choice.of(["main", "#main"]),
      inputs: { y: this.choice.of<Plain>(["Any", { type: "Any" }]) },
      outputs: [],
      steps: { s: step },
    };
    return { "main.cwl": this.#written({ cwlVersion: this.#version, $graph: [{ id: "tool", ...tool }, main] }) };
  }

  #written(content: Plain): string {
    if (this.choice.chance(0.25)) return JSON.stringify(content, undefined, this.choice.of([0, 2]));
    return `#!/usr/bin/env cwl-runner\n${stringify(content, { lineWidth: this.choice.of([0, 80]), defaultStringType: this.choice.of(["PLAIN", "QUOTE_DOUBLE"] as const) })}`;
  }

  #put(name: string, content: Plain): string {
    this.#files.set(name, content);
    return name;
  }

  #name(prefix: string): string {
    this.#counter += 1;
    return `${prefix}${this.#counter}`;
  }

  #tool(): Readonly<Record<string, Plain>> {
    const field = this.choice.of(["requirements", "hints"]);
    const docker = this.choice.chance(0.8) ? { [field]: this.#classes({ DockerRequirement: this.#docker() }) } : {};
    return {
      class: "CommandLineTool",
      ...docker,
      inputs: this.#inputs(),
      outputs: this.choice.of([[], {}]),
      baseCommand: "true",
    };
  }

  #docker(): Readonly<Record<string, Plain>> {
    const image = `${this.choice.of(["quay.io/biocontainers/", "", "ghcr.io/org/"])}${this.#name("img")}:${this.choice.of(["1.0", "latest", "2"])}`;
    return this.choice.chance(0.15) ? { dockerImageId: image } : { dockerPull: image };
  }

  /** Requirements as a map by class, as a list, or in a file of their own. */
  #classes(requirements: Readonly<Record<string, Readonly<Record<string, Plain>>>>): Plain {
    if (this.choice.chance(0.4)) return requirements;
    return Object.entries(requirements).map(([name, members]): Plain => {
      const whole = { class: name, ...members };
      return this.choice.chance(0.3) ? { $import: this.#put(`${this.#name("requirement")}.yml`, whole) } : whole;
    });
  }

  #inputs(): Plain {
    const inputs = Array.from({ length: this.choice.upTo(5) }, () => [this.#name("in"), this.#input()] as const);
    if (this.choice.chance(0.6)) return Object.fromEntries(inputs.map(([name, input]) => [name, this.#shortened(input)]));
    return inputs.map(([id, input]) => ({ id: this.choice.chance(0.2) ? `#${id}` : id, ...input }));
  }

  #shortened(input: Readonly<Record<string, Plain>>): Plain {
    const { type } = input;
    return Object.keys(input).length === 1 && type !== undefined && (typeof type === "string" || Array.isArray(type)) ? type : input;
  }

  #input(): Readonly<Record<string, Plain>> {
    const label = this.choice.chance(0.3) ? { label: "What it is" } : {};
    if (this.choice.chance(0.25))
      return {
        ...this.choice.of<Readonly<Record<string, Plain>>>([
          { type: "int", default: 3 },
          { type: "string?", default: "x" },
          { type: ["null", "boolean"], default: false },
        ]),
        ...label,
      };
    return { type: this.#type(0), ...label };
  }

  #type(depth: number): Plain {
    const simple = this.choice.of(["int", "string", "File", "boolean", "double", "long", "Directory", "float"]);
    if (depth > 2) return simple;
    switch (this.choice.upTo(9)) {
      case 0:
        return `${simple}?`;
      case 1:
        return `${simple}[]`;
      case 2:
        return `${simple}[]?`;
      case 3:
        return ["null", this.#type(depth + 2)];
      case 4:
        return { type: "array", items: this.choice.chance(0.5) ? simple : this.#plainArray(simple) };
      case 5:
        return { type: "enum", symbols: ["one", "two"] };
      case 6:
        return { type: "record", fields: this.#fields(depth) };
      case 7:
        return [simple, simple === "string" ? "int" : "string"];
      default:
        return simple;
    }
  }

  /** In the items of an array no short form is read. */
  #plainArray(simple: string): Plain {
    return this.choice.of<Plain>([{ type: "array", items: simple }, ["null", simple], { type: "enum", symbols: ["a", "b"] }]);
  }

  #fields(depth: number): Plain {
    const fields = Array.from({ length: 1 + this.choice.upTo(2) }, () => [this.#name("field"), this.#type(depth + 1)] as const);
    return this.choice.chance(0.5)
      ? fields.map(([name, type]) => ({ name, type }))
      : Object.fromEntries(fields.map(([name, type]) => [name, { type }]));
  }

  #workflow(depth: number): Readonly<Record<string, Plain>> {
    const steps = Array.from({ length: 1 + this.choice.upTo(3) }, () => [this.#name("step"), this.#step(depth)] as const);
    const needed = { SubworkflowFeatureRequirement: {}, StepInputExpressionRequirement: {} };
    const docker = this.choice.chance(0.2) ? { DockerRequirement: this.#docker() } : {};
    const hints = this.choice.chance(0.2) ? { hints: this.#classes({ DockerRequirement: this.#docker() }) } : {};
    const written = this.choice.chance(0.5) ? Object.fromEntries(steps) : steps.map(([id, step]) => ({ id, ...step }));
    return {
      class: "Workflow",
      requirements: this.#classes({ ...needed, ...docker }),
      ...hints,
      inputs: this.#inputs(),
      outputs: this.choice.of([[], {}]),
      steps: written,
    };
  }

  #step(depth: number): Readonly<Record<string, Plain>> {
    const process = depth < 2 && this.choice.chance(0.3) ? this.#workflow(depth + 1) : this.choice.chance(0.1) ? EXPRESSION : this.#tool();
    const run = this.choice.chance(0.5) ? this.#put(`${this.#name("tool")}.cwl`, { cwlVersion: this.#version, ...process }) : process;
    const field = this.choice.of(["requirements", "hints"]);
    const docker = this.choice.chance(0.2) ? { [field]: this.#classes({ DockerRequirement: this.#docker() }) } : {};
    return { run, in: this.#links(namesOf(process["inputs"] ?? {}), []), out: [], ...docker };
  }

  #links(names: readonly string[], sources: readonly string[]): Plain {
    const links = names.map(
      (id) => [id, { ...(sources[0] !== undefined && this.choice.chance(0.5) ? { source: sources[0] } : {}), default: null }] as const,
    );
    return this.choice.chance(0.5) ? Object.fromEntries(links) : links.map(([id, link]) => ({ id, ...link }));
  }
}

const EXPRESSION: Readonly<Record<string, Plain>> = {
  class: "ExpressionTool",
  requirements: { InlineJavascriptRequirement: {} },
  hints: [{ class: "DockerRequirement", dockerPull: "never:1" }],
  inputs: {},
  outputs: {},
  expression: "$({})",
};

const namesOf = (inputs: Plain): readonly string[] =>
  Array.isArray(inputs)
    ? inputs.map((input: Plain) => String((input as Readonly<Record<string, Plain>>)["id"]).replace("#", ""))
    : Object.keys(inputs as object);
