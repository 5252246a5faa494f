/** Files of inputs as Cromwell reads them, `{"Workflow.input": …}`, beside a workflow for HealthOmics. */
import type { Diagnostic, Inspection } from "../inspection.ts";
import { sourceOf } from "../wdl/source.ts";
import { ruleOf } from "../wdl/rules.ts";
import type { SourceTree } from "../source-tree.ts";

const RULE = "wdl-namespaced-inputs";
const MAX_BYTES = 256_000;
const MAX_FILES = 500;

/** The first key of each JSON file of inputs that carries the name of the workflow, or names an input of one of its calls. */
export function namespacedInputs(tree: SourceTree, { engine, name, main = "", parameters }: Inspection): readonly Diagnostic[] {
  if (engine !== "WDL" || name === undefined) return [];
  const home = main.slice(0, main.lastIndexOf("/") + 1);
  const isCandidate = (file: string): boolean =>
    file.endsWith(".json") && file.startsWith(home) && !OUTPUTS.test(file) && (tree.size(file) ?? 0) <= MAX_BYTES;
  const workflow = { name, inputs: new Set(parameters.map((parameter) => parameter.name)) };
  return tree.files
    .filter(isCandidate)
    .slice(0, MAX_FILES)
    .flatMap((file) => findingIn(file, tree.text(file) ?? "", workflow));
}

/** What a test expects has names of this form too, and is no file of inputs. */
const OUTPUTS = /(?:output|expected|result)[^/]*$/i;

interface Named {
  readonly name: string;
  readonly inputs: ReadonlySet<string>;
}

function findingIn(file: string, text: string, { name: workflow, inputs }: Named): readonly Diagnostic[] {
  const named = keysOf(text).filter((key) => key.startsWith(`${workflow}.`));
  const ofCalls = named.find((each) => each.split(".").length > 2);
  const key = ofCalls ?? named.find((each) => inputs.has(each.slice(workflow.length + 1)));
  if (key === undefined) return [];
  const { line, column } = sourceOf(file, text).position(Math.max(0, text.indexOf(JSON.stringify(key))));
  const rest = key.slice(workflow.length + 1);
  return ofCalls === undefined
    ? [{ rule: RULE, severity: "info", file, line, column, message: ownInput(key, rest) }]
    : [{ rule: RULE, severity: ruleOf(RULE).severity, file, line, column, message: ofCall(key) }];
}

/** The guide takes such names (workflow-languages-wdl); AWS's own handbook tells of values that were dropped. */
const ownInput = (key: string, rest: string): string =>
  `"${key}" carries the name of the workflow: the parameter is called "${rest}", which is taken everywhere`;

const ofCall = (key: string): string =>
  `"${key}" names an input of a call: only the main workflow's own inputs reach a run, and this one is dropped without a word`;

/** The members of a JSON object; none where the text is anything else. */
function keysOf(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  } catch {
    return [];
  }
}
