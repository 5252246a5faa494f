import { inWords, type Member, type Shape } from "./shape.ts";

/** How strictly values are judged. */
export interface Leniency {
  /** WDL_LENIENT: numbers and booleans may be texts, and an integer a float without a fraction. */
  readonly isLenient: boolean;
  /** Local files are allowed: they are brought to S3 before the run. */
  readonly areFilesStaged: boolean;
}

/** More of the same says nothing new. */
const MAX_PROBLEMS = 20;

/** What is wrong with a value, each as a sentence that begins with where: `samples[2].bam must be …`. */
export function checkShape(value: unknown, shape: Shape, at: string, leniency: Leniency): readonly string[] {
  const problems: string[] = [];
  new Checker(problems, leniency).check(value, shape, at);
  return problems.slice(0, MAX_PROBLEMS);
}

class Checker {
  readonly #problems: string[];
  readonly #leniency: Leniency;

  constructor(problems: string[], leniency: Leniency) {
    this.#problems = problems;
    this.#leniency = leniency;
  }

  check(value: unknown, shape: Shape, at: string): void {
    if (this.#problems.length > MAX_PROBLEMS) return;
    switch (shape.kind) {
      case "any":
        return;
      case "optional":
        return value === null ? undefined : this.check(value, shape.of, at);
      case "union":
        return this.#union(value, shape, at);
      case "list":
        return this.#list(value, shape, at);
      case "map":
        return this.#map(value, shape, at);
      case "pair":
        return this.#pair(value, shape, at);
      case "record":
        return this.#record(value, shape, at);
      case "enum":
        return this.#need(shape.values.includes(value), value, shape, at);
      case "file":
      case "folder":
        return this.#uri(value, shape, at);
      case "file-object":
        return this.#fileObject(value, shape, at);
      default:
        return this.#need(this.#isSimple(value, shape.kind), value, shape, at);
    }
  }

  #isSimple(value: unknown, kind: "text" | "integer" | "number" | "boolean" | "object" | "path"): boolean {
    if (kind === "object") return isObject(value);
    if (kind === "text" || kind === "path") return typeof value === "string" || (this.#leniency.isLenient && isScalar(value));
    const plain = this.#leniency.isLenient && typeof value === "string" && value.trim() !== "" ? fromText(value) : value;
    if (kind === "boolean") return typeof plain === "boolean";
    return kind === "integer" ? Number.isInteger(plain) : typeof plain === "number";
  }

  #need(holds: boolean, value: unknown, shape: Shape, at: string): void {
    if (!holds) this.#problems.push(`${at} must be ${inWords(shape)}, but is ${shown(value)}`);
  }

  /** The problems of the option that fits best are worth more than "none of these". */
  #union(value: unknown, shape: Shape & { kind: "union" }, at: string): void {
    const fits = shape.options.some((option) => checkShape(value, option, at, this.#leniency).length === 0);
    this.#need(fits, value, shape, at);
  }

  #list(value: unknown, shape: Shape & { kind: "list" }, at: string): void {
    if (!Array.isArray(value)) return this.#need(false, value, shape, at);
    if (shape.isNonempty && value.length === 0) this.#problems.push(`${at} must have at least one item`);
    value.forEach((item, index) => this.check(item, shape.items, `${at}[${index}]`));
  }

  #map(value: unknown, shape: Shape & { kind: "map" }, at: string): void {
    if (!isObject(value)) return this.#need(false, value, shape, at);
    for (const [key, item] of Object.entries(value)) {
      if (shape.key.kind === "integer" || shape.key.kind === "number" || shape.key.kind === "boolean")
        this.#need(isKey(key, shape.key.kind), key, shape.key, `the key "${key}" of ${at}`);
      this.check(item, shape.value, `${at}.${key}`);
    }
  }

  /** `left` and `right` in any case (user guide, workflow-languages-wdl). */
  #pair(value: unknown, shape: Shape & { kind: "pair" }, at: string): void {
    const entries = new Map(isObject(value) ? Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]) : []);
    if (!isObject(value) || entries.size !== 2 || !entries.has("left") || !entries.has("right")) return this.#need(false, value, shape, at);
    this.check(entries.get("left"), shape.left, `${at}.left`);
    this.check(entries.get("right"), shape.right, `${at}.right`);
  }

  #record(value: unknown, shape: Shape & { kind: "record" }, at: string): void {
    if (!isObject(value)) return this.#need(false, value, shape, at);
    for (const member of shape.members) this.#member(value, member, at);
    const known = new Set(shape.members.map(({ name }) => name));
    for (const key of Object.keys(value))
      if (!known.has(key)) this.#problems.push(`${at} has no member "${key}": the members of ${shape.name} are ${[...known].join(", ")}`);
  }

  #member(value: Readonly<Record<string, unknown>>, { name, shape, isOptional }: Member, at: string): void {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given !== undefined && !(given === null && isOptional)) return this.check(given, shape, `${at}.${name}`);
    if (!isOptional) this.#problems.push(`${at} lacks the member "${name}", which must be ${inWords(shape)}`);
  }

  /** Only s3:// and omics:// are read (user guide, workflow-languages-wdl). */
  #uri(value: unknown, shape: Shape & { kind: "file" | "folder" }, at: string): void {
    if (typeof value !== "string" || value === "") return this.#need(false, value, shape, at);
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1];
    const isRead = scheme === "s3" || scheme === "omics" || (scheme === undefined && this.#leniency.areFilesStaged);
    if (!isRead) return this.#need(false, value, shape, at);
    if (scheme === undefined) return;
    if (shape.kind === "file" && value.endsWith("/"))
      this.#problems.push(`${at} is a file and must not end with "/", but is ${shown(value)}`);
    if (shape.kind === "folder" && !value.endsWith("/"))
      this.#problems.push(`${at} is a folder and must end with "/", but is ${shown(value)}`);
  }

  #fileObject(value: unknown, shape: Shape & { kind: "file-object" }, at: string): void {
    if (!isObject(value) || value["class"] !== shape.class) return this.#need(false, value, shape, at);
    const place = value["location"] ?? value["path"];
    const isLiteral = place === undefined && ("contents" in value || "listing" in value);
    if (!isLiteral) this.#uri(place, { kind: "file" }, `${at}.${value["location"] === undefined ? "path" : "location"}`);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isScalar = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);
const fromText = (text: string): unknown =>
  text === "true" || text === "false" ? text === "true" : Number.isNaN(Number(text)) ? text : Number(text);

const isKey = (key: string, kind: "integer" | "number" | "boolean"): boolean =>
  kind === "boolean"
    ? key === "true" || key === "false"
    : key.trim() !== "" && (kind === "integer" ? Number.isInteger(Number(key)) : !Number.isNaN(Number(key)));

const MAX_SHOWN = 60;

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value);
  const cut = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  if (typeof value === "string") return `the text ${cut}`;
  if (Array.isArray(value)) return `the list ${cut}`;
  return typeof value === "object" && value !== null ? `the object ${cut}` : cut;
}
