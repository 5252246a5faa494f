import type { Rule } from "../rule.ts";
import { HEALTHOMICS_RULES, rule } from "./lint/healthomics-rules.ts";

/** What keeps a pipeline from being read, by Nextflow or by us. */
const READING_RULES: readonly Rule[] = [
  rule("nextflow-syntax", "error", [
    "A script or configuration has a syntax error",
    "Nextflow refuses the file. What could be read of it is reported nevertheless.",
    "Correct the line that is named.",
  ]),
  rule("nextflow-unreadable", "error", [
    "A file is not text or too large",
    "Scripts and configurations are UTF-8 text of at most some megabytes.",
    "Leave data out of the scripts; read it in a process.",
  ]),
  rule("nextflow-missing-main", "error", [
    "The main script is not there",
    'HealthOmics answers FAILED to a definition without its main file (guide, "Workflow definition requirements").',
    "Give `main` as a path relative to the root of the definition.",
  ]),
  rule("nextflow-missing-include", "error", [
    "An included script is not in the definition",
    "Includes resolve inside the definition only; the run ends with WORKFLOW_RUN_FAILED.",
    "Add the file, or correct the path relative to the script that includes it.",
  ]),
  rule("nextflow-missing-config", "error", [
    "An included configuration is not in the definition",
    "Nextflow ends before the first task when a local includeConfig is missing.",
    "Add the file, or wrap the include into a condition that holds only where it is there.",
  ]),
  rule("nextflow-missing-definition", "error", [
    "An included script does not define the name",
    'Nextflow ends with "Cannot find a component with name".',
    "Include a process, workflow or function that the script defines.",
  ]),
  rule("nextflow-include-cycle", "error", [
    "A configuration includes itself",
    "Nextflow never ends reading it.",
    "Take one of the includes out.",
  ]),
  rule("nextflow-remote-config", "info", [
    "A configuration is included from the network",
    "HealthOmics reads no remote configuration (engine log: a warning); defaults from there are missing.",
    "Put the file into the definition and include it from there.",
  ]),
  rule("nextflow-schema-unusable", "warning", [
    "nextflow_schema.json is not used",
    'HealthOmics takes parameters from it only if it is JSON of JSON Schema draft-07 or 2020-12 (guide, "Parameter templates").',
    "Correct the JSON, or name one of the two drafts in $schema.",
  ]),
];

/** The rules for Nextflow: what HealthOmics refuses, or does otherwise without a word. */
export const nextflowRules: readonly Rule[] = [...READING_RULES, ...HEALTHOMICS_RULES];
