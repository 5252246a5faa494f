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
  {
    id: "cwl-duplicate-input",
    severity: "warning",
    title: "Two inputs have one name",
    reason: "The parameter template has one entry for each name, and a run one value, which has to suit both declarations.",
    fix: "Rename one of the two.",
  },
  {
    id: "cwl-no-image",
    severity: "warning",
    title: "A tool names no container image",
    reason:
      "Such a task runs in a default image of the service, which has few programs, and its results are never cached (user guide, workflows-ecr, how-run-cache).",
    fix: "Add a DockerRequirement with dockerPull to the tool, its step or its workflow.",
  },
  {
    id: "cwl-built-image",
    severity: "error",
    title: "An image would have to be built or loaded where the workflow runs",
    reason: "HealthOmics takes task images from private ECR repositories and builds none (user guide, workflows-ecr).",
    fix: "Build the image before the release (`images.build` of omx.yaml) and name it with dockerPull.",
  },
  {
    id: "cwl-resources-too-large",
    severity: "error",
    title: "A tool asks for more CPU or memory than any instance has",
    reason: "The largest instance has 192 vCPU and 1,536 GiB (user guide, memory-and-compute-tasks).",
    fix: "Ask for at most 96 vCPU and 768 GiB, which every Region has, or split the work.",
  },
  {
    id: "cwl-resources-few-regions",
    severity: "warning",
    title: "A tool asks for more CPU or memory than most Regions offer",
    reason:
      "Instances go up to 96 vCPU and 768 GiB everywhere, to 192 and 1,536 in five Regions only (user guide, memory-and-compute-tasks).",
    fix: "Ask for at most 96 vCPU and 768 GiB, or release to those Regions alone.",
  },
  {
    id: "cwl-resources-too-small",
    severity: "info",
    title: "A tool asks for less CPU or memory than the least that is given",
    reason:
      "HealthOmics rounds a request up to at least 1 vCPU and 1 GiB, on an instance with 2 vCPU and 4 GiB (user guide, memory-and-compute-tasks).",
    fix: "Ask for at least 1 core and 1024 MiB; ramMin is in MiB.",
  },
  {
    id: "cwl-network",
    severity: "warning",
    title: "A tool wants a network",
    reason: "A run has no network but S3 and ECR of its Region, unless it runs in VPC mode (user guide, workflows-vpc-networking).",
    fix: "Stage the data as inputs, or start runs with a configuration for VPC networking.",
  },
  {
    id: "cwl-inplace-update",
    severity: "warning",
    title: "A tool changes its inputs in place",
    reason: "Inputs are staged read-only (user guide, workflows-run-inputs).",
    fix: "Write a new file; copy the input first where the program cannot.",
  },
  {
    id: "cwl-accelerator",
    severity: "error",
    title: "A CUDA requirement names no accelerator of HealthOmics",
    reason: "For HealthOmics, cudaComputeCapability holds the accelerator's name (user guide, task-accelerators).",
    fix: "Write one of the names the message lists.",
  },
  {
    id: "cwl-reserved-variable",
    severity: "error",
    title: "An environment variable has a reserved name",
    reason: "The prefix AWS_WORKFLOW_ is the service's own (user guide, ecr-env-vars).",
    fix: "Give the variable another name.",
  },
  {
    id: "cwl-operation",
    severity: "error",
    title: "A step is an Operation",
    reason: "HealthOmics does not support Operation processes (user guide, workflow-languages-cwl).",
    fix: "Replace the Operation by a tool or workflow.",
  },
  {
    id: "cwl-strict-javascript",
    severity: "error",
    title: "JavaScript does not compile in strict mode",
    reason: "HealthOmics runs expressions in strict mode (user guide, workflow-languages-cwl).",
    fix: "Rewrite what strict mode forbids: `with`, octal numbers such as 010, deleting variables, doubled parameters.",
  },
  {
    id: "cwl-remote-default",
    severity: "warning",
    title: "A default is a file that HealthOmics cannot read",
    reason:
      "Files come from S3 or from the definition; there is no other network and no other file system (user guide, workflows-run-inputs).",
    fix: "Put the file into S3 and make its URI the default, or drop the default.",
  },
  {
    id: "cwl-secondary-files",
    severity: "warning",
    title: "A main input lacks the secondaryFiles that a tool wants",
    reason:
      "Only files that the main workflow declares are staged; secondaryFiles of a sub-workflow or tool must be repeated there (user guide, workflow-languages-cwl).",
    fix: "Repeat secondaryFiles at the input of the main workflow.",
  },
  {
    id: "cwl-loop-version",
    severity: "error",
    title: "A loop in a document older than CWL 1.2",
    reason: "Loops by cwltool's extension need CWL 1.2 (user guide, workflow-languages-cwl).",
    fix: "Write `cwlVersion: v1.2`.",
  },
];

const BY_ID: ReadonlyMap<string, Rule> = new Map(cwlRules.map((rule) => [rule.id, rule]));

/** The rule with this id. @throws Error when none has it: a finding names only listed rules */
export function ruleOf(id: string): Rule {
  const rule = BY_ID.get(id);
  if (!rule) throw new Error(`no CWL rule is called "${id}"`);
  return rule;
}
