import type { Rule } from "../../rule.ts";

const MIGRATION = "AWS's HealthOmics power for Kiro, migration-guide-for-wdl";

/** What HealthOmics accepts and does differently from what the text seems to say. */
export const CAUTIONS: readonly Rule[] = [
  {
    id: "wdl-too-large",
    severity: "warning",
    title: "The document asks for more calls than are followed",
    reason:
      "omx follows up to 20,000 calls and half a million expressions of one main file, so that a hostile definition cannot hold it up.",
    fix: "Inspect the sub-workflows as main files of their own.",
  },
  {
    id: "wdl-missing-version",
    severity: "warning",
    title: "The document has no version line",
    reason: `It is read as draft-2, which HealthOmics does not support; the workflow becomes ACTIVE with a warning in statusMessage (${MIGRATION}).`,
    fix: "Write `version 1.0` or `version 1.1` in the first line, and an input section around the inputs.",
  },
  {
    id: "wdl-unsupported-version",
    severity: "warning",
    title: "HealthOmics does not list this version of WDL",
    reason: "The WDL engine supports 1.0, 1.1 and development (user guide, workflows-lang-versions).",
    fix: "Use version 1.1, or development where Directory is needed.",
  },
  {
    id: "wdl-no-inputs",
    severity: "info",
    title: "The workflow has no inputs",
    reason: `The parameter template is empty, and statusMessage says so (${MIGRATION}).`,
    fix: "Nothing, where that is meant; else declare the inputs in the main workflow's input section.",
  },
  {
    id: "wdl-cpu-limit",
    severity: "warning",
    title: "A task asks for more CPUs or memory than most Regions offer",
    reason:
      "Instances go up to 96 vCPU and 768 GiB everywhere, to 192 and 1,536 in five Regions only; beyond that validation fails (user guide, memory-and-compute-tasks).",
    fix: "Ask for at most 96 vCPU and 768 GiB.",
  },
  {
    id: "wdl-small-task",
    severity: "info",
    title: "A task asks for less than the smallest instance has",
    reason:
      "The smallest instance has 2 vCPU and 4 GiB and is what the task runs on and is billed for (user guide, memory-and-compute-tasks).",
    fix: "Ask for 2 vCPU and 4 GiB, and let the command use them.",
  },
  {
    id: "wdl-decimal-memory",
    severity: "info",
    title: "Memory in GB is less than in GiB",
    reason: `1 GB is 10^9 bytes, 7 % less than the GiB in which instances are sized (${MIGRATION}).`,
    fix: "Write GiB.",
  },
  {
    id: "wdl-preemptible",
    severity: "info",
    title: "preemptible does not make the task cheaper",
    reason:
      "HealthOmics has no spot instances: preemptible 0, 1 or 2 is the number of retries after a service error (user guide, workflow-languages-wdl).",
    fix: "Remove it, or set 0 to 2 for the retries.",
  },
  {
    id: "wdl-disks",
    severity: "info",
    title: "disks is read as a size only",
    reason:
      "Mount points and disk types have no effect; with shared scratch storage, the default, all of it is ignored (user guide, workflows-ephemeral-storage).",
    fix: "Choose the run's storage type and capacity instead.",
  },
  {
    id: "wdl-ignored-runtime-key",
    severity: "info",
    title: "HealthOmics does not read this runtime attribute",
    reason: "The attributes that have an effect are listed in the user guide, workflow-languages-wdl.",
    fix: "Remove it, or keep it for other engines.",
  },
  {
    id: "wdl-retries-findutils",
    severity: "info",
    title: "maxRetries needs findutils in the image",
    reason:
      "A retry after running out of memory, with doubled memory, needs GNU findutils 4.2.3 or newer in the image (user guide, workflow-languages-wdl).",
    fix: "Make sure that the image has `find`, or leave maxRetries out.",
  },
  {
    id: "wdl-short-timeout",
    severity: "warning",
    title: "A task's timeout is below the smallest there is",
    reason: "omicsTimeout has a granularity of a minute: less is taken for 60 seconds (user guide, workflow-languages-wdl).",
    fix: "Give at least 60 seconds.",
  },
  {
    id: "wdl-accelerator",
    severity: "warning",
    title: "There is no accelerator of this name",
    reason: "The names are listed in the user guide, task-accelerators.",
    fix: "Use one of nvidia-tesla-t4, nvidia-tesla-t4-a10g, nvidia-tesla-a10g, nvidia-t4-a10g-l4, nvidia-l4-a10g, nvidia-l4, nvidia-l40s.",
  },
  {
    id: "wdl-no-container",
    severity: "warning",
    title: "A task names no container",
    reason: "HealthOmics runs it in an image of its own, and never caches it (user guide, workflows-ecr, how-run-cache).",
    fix: "Name the image in runtime: container.",
  },
  {
    id: "wdl-network",
    severity: "warning",
    title: "A command wants a network",
    reason:
      "By default a task reaches S3 and ECR of its Region alone, no internet and no other service (user guide, workflows-vpc-networking).",
    fix: "Make what is fetched an input, or a part of the image; else start runs in VPC mode.",
  },
  {
    id: "wdl-unbounded-scatter",
    severity: "info",
    title: "A scatter has no bound",
    reason:
      "By default 25 tasks of a run are at work at once and the rest waits (user guide, service-quotas); a scatter over an input of any length may ask for thousands.",
    fix: "Group the items into batches, or raise the quota.",
  },
  {
    id: "wdl-incomplete-call",
    severity: "warning",
    title: "A call lacks a required input",
    reason: "Only the main workflow's own inputs are in the parameter template; a value for `Call.input` has no place there.",
    fix: "Declare an input in the workflow and pass it to the call.",
  },
  {
    id: "wdl-namespaced-inputs",
    severity: "warning",
    title: "A file of inputs names them as Cromwell does",
    reason: `A run's parameters are the main workflow's own inputs by their own names; \`Workflow.Call.input\` is ignored without a word (${MIGRATION}).`,
    fix: "Write the inputs' own names; declare an input in the workflow for what a call needs, and pass it on.",
  },
  {
    id: "wdl-nested-inputs",
    severity: "info",
    title: "Inputs of calls are not in the parameter template",
    reason:
      "The template that HealthOmics makes of a workflow has the workflow's own inputs, and a run takes no parameter that is not in the template (user guide, parameter-templates).",
    fix: "Declare inputs in the workflow and pass them on, or give a parameter template that names `Workflow.Call.input`.",
  },
  {
    id: "wdl-string-directory",
    severity: "warning",
    title: "A String seems to name a file or folder",
    reason: `Only File and Directory values are copied to the task; an s3:// address in a String stays text (${MIGRATION}).`,
    fix: "Use File, or Directory with version development.",
  },
  {
    id: "wdl-remote-default",
    severity: "warning",
    title: "A default is a file that HealthOmics cannot read",
    reason:
      "Files of a run are objects in S3 or in a store of HealthOmics (user guide, workflows-run-inputs); without a VPC there is no other network.",
    fix: "Copy the file to S3, or give it without a default.",
  },
  {
    id: "wdl-float-division",
    severity: "info",
    title: "A division of Float values is about to change",
    reason:
      "HealthOmics cuts off the fraction of `/` between Float values until 30 November 2026, and keeps it from then on (user guide, wdl-engine-change-log).",
    fix: "Write floor(a / b) where the fraction must go; else make sure that the result may have one.",
  },
  {
    id: "wdl-output-outside",
    severity: "warning",
    title: "An output lies outside the task's working directory",
    reason: "Such a file is lost although the task succeeds (user guide, workflows-task-outputs).",
    fix: "Write the file to the working directory, and name it by a relative path.",
  },
  {
    id: "wdl-threads-cpu",
    severity: "info",
    title: "The number of threads is not the number of CPUs",
    reason: `Limits are hard: threads beyond the task's cpu only wait for each other (${MIGRATION}).`,
    fix: "Write runtime { cpu: threads }.",
  },
];
