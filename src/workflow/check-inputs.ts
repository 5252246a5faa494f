import type { Inspection, Parameter, ParameterTemplate } from "./inspection.ts";
import { checkShape, type Leniency } from "./inputs/check-shape.ts";
import { inWords } from "./inputs/shape.ts";
import { shapeOf } from "./inputs/shapes-of-types.ts";

/** What is wrong with the inputs of a run. */
export interface InputProblem {
  /** The parameter; absent where the inputs as a whole are wrong. */
  readonly parameter?: string;
  /** A sentence that names the parameter and what is expected. */
  readonly message: string;
}

/** What the inputs are for. */
export interface InputsOf {
  readonly inspection: Pick<Inspection, "engine" | "name" | "parameters" | "parameterTemplate">;
  /** The template the workflow is created with, where it is not the inferred one. */
  readonly template?: ParameterTemplate;
  /** The engine is WDL_LENIENT. @default false */
  readonly isLenient?: boolean;
  /** Local files are brought to S3 before the run, so that paths are allowed. @default false */
  readonly areFilesStaged?: boolean;
}

/** The limit of StartRun's parameters (user guide, fixed-quotas). */
export const MAX_INPUT_BYTES = 256_000;

/**
 * What HealthOmics or the engine would refuse of a run's inputs: a name that is not in the template, a required one that
 * is missing, a value of the wrong type. Without this a type is only judged by the engine, minutes into the run.
 */
export function checkInputs(inputs: unknown, of: InputsOf): readonly InputProblem[] {
  if (typeof inputs !== "object" || inputs === null || Array.isArray(inputs))
    return [{ message: "the inputs must be a JSON object: parameter names with their values" }];
  const bytes = Buffer.byteLength(JSON.stringify(inputs));
  const size =
    bytes > MAX_INPUT_BYTES
      ? [{ message: `the inputs have ${bytes} bytes; a run takes ${MAX_INPUT_BYTES}: put long lists into a file in S3` }]
      : [];
  const given = new Map(
    Object.entries(inputs).map(([written, value]) => [parameterName(written, of), { written, value: value as unknown }]),
  );
  return [...size, ...unknownNames(given, of), ...missing(given, of), ...wrong(given, of)];
}

type Given = ReadonlyMap<string, { readonly written: string; readonly value: unknown }>;

const templateOf = ({ template, inspection }: InputsOf): ParameterTemplate => template ?? inspection.parameterTemplate;

/** In WDL `Workflow.name` stands for `name` (user guide, workflow-languages-wdl), unless the template has the long name. */
function parameterName(written: string, of: InputsOf): string {
  const { engine, name } = of.inspection;
  if (engine !== "WDL" || name === undefined || Object.hasOwn(templateOf(of), written)) return written;
  return written.startsWith(`${name}.`) ? written.slice(name.length + 1) : written;
}

function unknownNames(given: Given, of: InputsOf): readonly InputProblem[] {
  const names = Object.keys(templateOf(of));
  return [...given].flatMap(([name, { written }]) => {
    if (names.includes(name)) return [];
    const alike = nearest(name, names);
    const hint =
      alike === undefined
        ? `the parameters are ${names.slice(0, 20).join(", ")}${names.length > 20 ? ", …" : ""}`
        : `did you mean "${alike}"?`;
    return [{ parameter: written, message: `there is no parameter "${written}": ${names.length === 0 ? "the workflow has none" : hint}` }];
  });
}

function missing(given: Given, of: InputsOf): readonly InputProblem[] {
  const typed = parametersOf(of);
  return Object.entries(templateOf(of)).flatMap(([name, { optional }]) => {
    if (optional === true || given.has(name)) return [];
    const parameter = typed.get(name);
    const expected = parameter && of.inspection.engine ? `: ${inWords(shapeOf(parameter, of.inspection.engine))}` : "";
    return [{ parameter: name, message: `the required parameter "${name}" is missing${expected}` }];
  });
}

function wrong(given: Given, of: InputsOf): readonly InputProblem[] {
  const { engine } = of.inspection;
  if (engine === undefined) return [];
  const typed = parametersOf(of);
  const leniency: Leniency = { isLenient: of.isLenient ?? false, areFilesStaged: of.areFilesStaged ?? false };
  return [...given].flatMap(([name, { written, value }]) => {
    const parameter = typed.get(name);
    if (!parameter || (value === null && parameter.optional)) return [];
    return checkShape(value, shapeOf(parameter, engine), `"${written}"`, leniency).map((message) => ({ parameter: written, message }));
  });
}

const parametersOf = ({ inspection }: InputsOf): ReadonlyMap<string, Parameter> =>
  new Map(inspection.parameters.map((parameter) => [parameter.name, parameter]));

/** Longer names are no misspelt parameters, and comparing takes the square of the length. */
const MAX_COMPARED = 128;

/** The name that differs least, if by little; letter case and the kind of dash count for nothing. */
function nearest(name: string, names: readonly string[]): string | undefined {
  if (name.length > MAX_COMPARED) return undefined;
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_.]/g, "");
  const ranked = names.map((each) => ({ each, distance: distance(plain(name), plain(each)) })).toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(1, Math.floor(name.length / 4)) ? best.each : undefined;
}

/** Levenshtein's distance; texts are parameter names, so both are short. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
