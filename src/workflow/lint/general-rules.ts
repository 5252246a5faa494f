import type { Rule } from "../rule.ts";

/** The rules that hold for every language. */
export const generalRules: readonly Rule[] = [
  {
    id: "main-file",
    severity: "error",
    title: "The engine or the main file cannot be told",
    reason:
      "Without `engine` the files must be of one engine; without `main` the level nearest to the root must hold one definition file or one called main (user guide, workflow-defn-packaging).",
    fix: "Set `engine` and `main` in omx.yaml, or name the main file main.wdl, main.nf or main.cwl.",
  },
  {
    id: "archive-unsound",
    severity: "error",
    title: "The ZIP cannot be read",
    reason:
      "HealthOmics fails a workflow whose archive is damaged, holds links or paths that lead out of it, or is over the limits (user guide, workflow-defn-packaging).",
    fix: "Pack the definition again with plain relative paths; omx does so in a release.",
  },
  {
    id: "main-path-too-long",
    severity: "error",
    title: "The path of the main file is too long",
    reason: "`main` has at most 128 characters (API reference, CreateWorkflow).",
    fix: "Move the main file up, or shorten the names of its folders.",
  },
  {
    id: "reader-defect",
    severity: "error",
    title: "omx failed to read a definition",
    reason: "This is a mistake of omx, not of the definition; the other files are read all the same.",
    fix: "Please report it with the file.",
  },
  {
    id: "image-invalid",
    severity: "error",
    title: "An image has a name that no registry can serve",
    reason:
      "A task whose image cannot be pulled fails the run midway; nothing checks it when the workflow is created (user guide, workflows-run-errors).",
    fix: "Write the name of an image in a container registry, as in quay.io/biocontainers/bwa:0.7.18.",
  },
  {
    id: "image-latest",
    severity: "warning",
    title: "An image is not pinned",
    reason:
      "A name without a tag, or with `latest`, means other bytes tomorrow: the release that was tested and approved is not the one that runs.",
    fix: "Write the version as a tag, or the digest.",
  },
  {
    id: "image-public",
    severity: "warning",
    title: "An image of a public registry has no mapping",
    reason:
      "Tasks take their images from private ECR alone; without a container registry map that covers the image the run fails when the task starts (user guide, workflows-ecr).",
    fix: "Let omx stage the images and write the map (it does so in a release), or give `registryMap` in omx.yaml.",
  },
  {
    id: "image-unresolved",
    severity: "warning",
    title: "Only an input decides an image",
    reason: "What is not known before the run can neither be copied to private ECR nor pinned, and the run that names it may fail midway.",
    fix: "Give the input a default, or list the images it may name under `images.extra` in omx.yaml.",
  },
  {
    id: "parameter-description",
    severity: "warning",
    title: "A parameter's description does not fit into a template",
    reason:
      "A description has at most 256 characters and no control characters, so no line break and no tab; CreateWorkflow answers 400 (API reference, WorkflowParameter).",
    fix: "Shorten it to one line of 256 characters.",
  },
  {
    id: "parameter-name",
    severity: "warning",
    title: "A parameter's name does not fit into a template",
    reason: "A name has 1 to 128 characters (API reference, WorkflowParameterName).",
    fix: "Shorten the name.",
  },
  {
    id: "parameter-count",
    severity: "error",
    title: "There are more parameters than a template takes",
    reason:
      "A request has at most 2,000 entries; the documented quota is 1,000 entries and 400 KB (API reference, CreateWorkflow; user guide, fixed-quotas).",
    fix: "Group parameters into structs or records, or give a template that names the ones users set.",
  },
  {
    id: "definition-size",
    severity: "warning",
    title: "The definition is too large for a way of giving it",
    reason:
      "A ZIP has at most 4.4 MB in the request and 100 MB in S3; a file of a Git repository at most 100 MiB (user guide, fixed-quotas).",
    fix: "Leave data and documents out with `exclude` in omx.yaml; test data belongs into S3.",
  },
  {
    id: "readme-size",
    severity: "error",
    title: "The README is too large",
    reason: "A README has at most 500 KiB (user guide, workflows-readme).",
    fix: "Shorten it, or name a smaller file with `readme` in omx.yaml.",
  },
  {
    id: "version-not-semver",
    severity: "warning",
    title: "The version the definition gives itself is no semantic version",
    reason: "Releases are numbered major.minor.patch; a version of another form cannot be compared with them.",
    fix: "Write it as 1.2.0, or leave it out.",
  },
  {
    id: "ignore-without-reason",
    severity: "error",
    title: "A finding is suppressed without a reason",
    reason: "Whoever reads the file next has to know why the finding does not matter here.",
    fix: "Write the reason after the rule: `# omx-ignore: image-latest the image is rebuilt for each release`.",
  },
  {
    id: "ignore-unknown-rule",
    severity: "error",
    title: "A comment suppresses a rule that is not there",
    reason: "A misspelt rule suppresses nothing, and nobody would notice.",
    fix: "Write the id of a rule of this page.",
  },
  {
    id: "ignore-unused",
    severity: "info",
    title: "A comment suppresses nothing",
    reason: "What it was written for is gone; it would hide the next finding.",
    fix: "Delete the comment.",
  },
];
