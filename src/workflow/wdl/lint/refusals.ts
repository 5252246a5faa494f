import type { Rule } from "../../rule.ts";

const LINTER =
  "HealthOmics runs its WDL linter at CreateWorkflow and CreateWorkflowVersion; an error there leaves the workflow FAILED (user guide, workflows-linter).";

/** What keeps a workflow from becoming ACTIVE. */
export const REFUSALS: readonly Rule[] = [
  {
    id: "wdl-syntax",
    severity: "error",
    title: "The document cannot be read",
    reason: LINTER,
    fix: "Correct the text at the place the message names.",
  },
  {
    id: "wdl-unknown-version",
    severity: "error",
    title: "The version of WDL is unknown",
    reason: LINTER,
    fix: "Write `version 1.0`, `version 1.1` or `version development` in the first line.",
  },
  {
    id: "wdl-struct",
    severity: "error",
    title: "A struct is not usable: its name is taken or unknown, or it holds itself",
    reason: LINTER,
    fix: "Give every struct its own name; rename an imported one with `alias A as B`.",
  },
  {
    id: "wdl-missing-import",
    severity: "error",
    title: "An imported file is not in the definition",
    reason: "A missing import leaves the workflow FAILED; imports are resolved inside the ZIP only (user guide, workflow-defn-packaging).",
    fix: "Add the file to the repository, or correct the path, which is relative to the importing file.",
  },
  {
    id: "wdl-import-cycle",
    severity: "error",
    title: "Documents import each other, or imports follow one another without end",
    reason: LINTER,
    fix: "Move what both documents need into a third one.",
  },
  {
    id: "wdl-absolute-import",
    severity: "error",
    title: "An import is an absolute path",
    reason: "WDL imports resolve inside the ZIP only; absolute paths do not work (user guide, workflow-defn-packaging).",
    fix: "Write the path relative to the importing file.",
  },
  {
    id: "wdl-remote-import",
    severity: "error",
    title: "An import is a URL",
    reason: "HealthOmics has no network when it reads a definition; http(s) imports do not work (user guide, workflow-defn-packaging).",
    fix: "Copy the file into the repository and import it by its relative path.",
  },
  {
    id: "wdl-type",
    severity: "error",
    title: "A value has the wrong type",
    reason: LINTER,
    fix: "Give a value of the type that is expected, or convert it.",
  },
  {
    id: "wdl-unknown-name",
    severity: "error",
    title: "A name stands for nothing",
    reason: LINTER,
    fix: "Correct the name; a value in a section of another workflow or task is not seen here.",
  },
  {
    id: "wdl-unknown-function",
    severity: "error",
    title: "There is no such function in this version of WDL",
    reason: LINTER,
    fix: "Use a function of the version in the file's first line, or raise that version; stdout(), stderr() and glob() work in a task's outputs only.",
  },
  {
    id: "wdl-unknown-call",
    severity: "error",
    title: "A call names no task or workflow",
    reason: LINTER,
    fix: "Correct the name, or import the document that has the task.",
  },
  {
    id: "wdl-unknown-input",
    severity: "error",
    title: "A call gives an input that the task or workflow does not have",
    reason: LINTER,
    fix: "Correct the input's name, or leave it out.",
  },
  {
    id: "wdl-uncallable-workflow",
    severity: "error",
    title: "A workflow cannot be called as it is",
    reason: LINTER,
    fix: "Give its calls all their required inputs, and the workflow an output section.",
  },
  {
    id: "wdl-duplicate-name",
    severity: "error",
    title: "A name is given twice",
    reason: LINTER,
    fix: "Rename one of the two; a second call of a task takes a name with `as`.",
  },
  {
    id: "wdl-unbound-declaration",
    severity: "error",
    title: "A declaration has no value and is no input",
    reason: LINTER,
    fix: "Move it into the input section, or give it a value.",
  },
  {
    id: "wdl-circular",
    severity: "error",
    title: "A value depends on itself",
    reason: LINTER,
    fix: "Break the circle: compute one of the values from something else.",
  },
  {
    id: "wdl-resources-too-large",
    severity: "error",
    title: "A task asks for more CPUs or memory than any instance has",
    reason: "The largest instance has 192 vCPU and 1,536 GiB; the validation refuses more (user guide, memory-and-compute-tasks).",
    fix: "Ask for at most 96 vCPU and 768 GiB, which every Region has, or split the task.",
  },
  {
    id: "wdl-fallback-order",
    severity: "error",
    title: "omicsResourceFallbackOrder breaks its rules",
    reason: "HealthOmics rejects the workflow at creation (user guide, advanced-resource-configuration).",
    fix: "Give 1 to 10 maps with acceleratorType and acceleratorCount together, at most one CPU profile, none of these keys beside it, and no call in a scatter.",
  },
];
