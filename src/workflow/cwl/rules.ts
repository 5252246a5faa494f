import type { Rule } from "../rule.ts";

const ENGINE =
  "HealthOmics gives the document to a CWL engine that refuses it when the run starts; CWL has no linter at creation (user guide, workflows-linter), so nothing says so earlier.";
const PACKAGED =
  "HealthOmics reads the files of the definition alone: there is no network and no other folder (user guide, workflow-defn-packaging).";

/** The rules of CWL: what HealthOmics would refuse, or do differently without a word. */
export const cwlRules: readonly Rule[] = [
  {
    id: "cwl-syntax",
    severity: "error",
    title: "The document cannot be read as YAML or JSON",
    reason: ENGINE,
    fix: "Correct the text at the place the message names.",
  },
  {
    id: "cwl-too-large",
    severity: "error",
    title: "The document is too large, unfolds to too much, or holds too many steps",
    reason: "No definition is that large; what unfolds without end would keep any engine from starting.",
    fix: "Take the repetition out: aliases, imports or sub-workflows that hold each other many times.",
  },
  {
    id: "cwl-no-process",
    severity: "error",
    title: "The document holds no process that could be run",
    reason: "Only a Workflow, a CommandLineTool or an ExpressionTool can be the main file of a workflow.",
    fix: "Give the file that holds the workflow as the main file.",
  },
  {
    id: "cwl-main-process",
    severity: "error",
    title: "A $graph holds several processes and none is called main",
    reason: "An engine runs the process with the id `#main` when the file alone is named (CWL 1.2, packed documents).",
    fix: "Give the main process the id `main`, or name one with `main.cwl#id`.",
  },
  {
    id: "cwl-version",
    severity: "error",
    title: "The CWL version is missing or not served",
    reason: "HealthOmics serves CWL 1.0, 1.1 and 1.2 (user guide, workflows-lang-versions).",
    fix: "Write `cwlVersion: v1.0`, `v1.1` or `v1.2`; `cwl-upgrader` brings an old draft there.",
  },
  {
    id: "cwl-missing-file",
    severity: "error",
    title: "A file or process that is referred to is not there",
    reason: PACKAGED,
    fix: "Add the file to the repository, or correct the path, which is relative to the file that names it.",
  },
  {
    id: "cwl-outside",
    severity: "error",
    title: "A reference leads out of the definition",
    reason: PACKAGED,
    fix: "Copy the file into the repository and write its relative path.",
  },
  {
    id: "cwl-cycle",
    severity: "error",
    title: "Documents import each other, or a workflow runs itself",
    reason: ENGINE,
    fix: "Break the circle; for a loop use the Loop extension of cwltool with CWL 1.2.",
  },
  {
    id: "cwl-type",
    severity: "error",
    title: "A type is missing or unknown",
    reason: ENGINE,
    fix: "Write a type of CWL, or declare the record or enum under SchemaDefRequirement.",
  },
];

const BY_ID: ReadonlyMap<string, Rule> = new Map(cwlRules.map((rule) => [rule.id, rule]));

/** The rule with this id. @throws Error when none has it: a finding names only listed rules */
export function ruleOf(id: string): Rule {
  const rule = BY_ID.get(id);
  if (!rule) throw new Error(`no CWL rule is called "${id}"`);
  return rule;
}
