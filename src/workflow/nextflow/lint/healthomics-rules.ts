import type { Rule } from "../../rule.ts";

/** A rule's title, reason and fix in one list, which reads as a page of them. */
export const rule = (id: string, severity: Rule["severity"], [title, reason, fix]: readonly [string, string, string]): Rule => ({
  id,
  severity,
  title,
  reason,
  fix,
});

/** What runs elsewhere and not on HealthOmics, or runs and loses its output. */
export const HEALTHOMICS_RULES: readonly Rule[] = [
  rule("nextflow-publish-dir", "warning", [
    "publishDir lies outside /mnt/workflow/pubdir",
    "HealthOmics exports that folder alone: the run is COMPLETED and S3 stays empty (aws-healthomics-tutorials issue 7).",
    "Publish to /mnt/workflow/pubdir or below, usually by params.outdir.",
  ]),
  rule("nextflow-output-path", "error", [
    "An output block has an absolute path",
    "From Nextflow 25.10 on HealthOmics exports `output {}` paths relative to its output folder only.",
    "Write the path relative.",
  ]),
  rule("nextflow-dsl1", "warning", [
    "The pipeline is written in DSL1",
    'DSL1 runs on 22.04 alone and is not linted by the service (guide, "Version support").',
    "Move it to DSL2.",
  ]),
  rule("nextflow-engine-version", "error", [
    "manifest.nextflowVersion admits no version of HealthOmics",
    'A range with "!" that none of 22.04.0, 23.10.0, 24.10.8, 25.10.0 and 26.04.0 is in fails the run with WORKFLOW_VER_VALIDATION_FAILED.',
    "Widen the range.",
  ]),
  rule("nextflow-plugin", "error", [
    "A plugin is not installed on HealthOmics",
    'Plugins are preinstalled by engine version and none is fetched (guide, "Nextflow workflow definition specifics").',
    "Choose an engine version that has it by manifest.nextflowVersion, or do without.",
  ]),
  rule("nextflow-plugin-version", "warning", [
    "Another version of a plugin is installed",
    "HealthOmics ignores the version in the configuration and runs the one it has.",
    "Name the installed version and test with it.",
  ]),
  rule("nextflow-preview", "warning", [
    "A preview feature is used",
    "HealthOmics supports none (guide, Nextflow version release notes).",
    "Take the feature out.",
  ]),
  rule("nextflow-network-service", "error", [
    "A service on the internet is needed",
    "Runs reach no public network in the default mode; Wave and Fusion are services.",
    "Switch it off, and name the containers.",
  ]),
  rule("nextflow-resources-high", "error", [
    "A task asks for more than there is",
    '96 vCPUs and 768 GiB are there in all regions, 192 and 1,536 in five; more is INVALID_TASK_RESOURCE_VALUE (guide, "Compute and memory requirements").',
    "Ask for less, or split the task.",
  ]),
  rule("nextflow-resources-low", "info", [
    "A task asks for less than the smallest instance has",
    "The smallest instance, omics.c.large with 2 vCPUs and 4 GiB, is paid for whole.",
    "Ask for 2 cpus and 4 GB: it costs the same.",
  ]),
  rule("nextflow-time-short", "warning", [
    "A time limit is below one minute",
    "The smallest limit is 60 s and seconds are cut off (guide, Nextflow directives).",
    "Give at least 1.min.",
  ]),
  rule("nextflow-accelerator", "error", [
    "An accelerator has a name that HealthOmics does not know",
    'Types are those of the guide\'s page "Task accelerators".',
    "Use one of them.",
  ]),
  rule("nextflow-image-needs-ps", "info", [
    "Reports ask each image for ps",
    "With trace, report or timeline Nextflow runs `ps` in the task; an image without it fails the task (guide, Nextflow execution reports).",
    "Use images with procps, or switch the report off.",
  ]),
  rule("nextflow-no-container", "warning", [
    "A process has no container",
    "It runs in an image of the service and is never cached; conda environments are not made.",
    "Give the process a container.",
  ]),
];
