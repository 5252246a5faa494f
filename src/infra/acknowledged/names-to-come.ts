import type { Place } from "../../release/project/deploy-config.ts";
import { type Acknowledgement, paths, resource, type Reviewed, within } from "./finding.ts";

/** What is named or numbered only when somebody makes it. */
export function namesToCome(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production } = reviewed;
  const { wf } = paths(reviewed);
  return [
    ...repositoriesToCome(reviewed),
    ...idsToCome(reviewed),
    ...executionsToCome(reviewed),
    {
      finding: resource(`arn:aws:codepipeline:${within(cicd)}:omx-*`),
      at: ["omx-cicd/ApprovalReader"],
      reason: "Production asks for the approval of any workflow's pipeline; reading only.",
    },
    {
      finding: resource(`arn:aws:kms:${within(production)}:key/*`),
      at: [`${wf}/Promote`],
      reason:
        "The production key's id is made after this role; its policy lets promotion roles in, and the condition allows it through S3 alone.",
    },
  ];
}

/** Runs, caches, tasks and workflows, whose ids HealthOmics makes. */
function idsToCome(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production } = reviewed;
  const { wf, prod } = paths(reviewed);
  const omics = (place: Place, kind: string): string => resource(`arn:aws:omics:${within(place)}:${kind}/*`);
  const workflowId = "A workflow's id is made by HealthOmics with the first release.";
  return [
    {
      finding: omics(cicd, "run"),
      at: ["omx-cicd/Judge", "omx-cicd/TestRun"],
      reason: "A run's id is made by HealthOmics when it starts.",
    },
    {
      finding: omics(cicd, "runCache"),
      at: ["omx-cicd/TestRun"],
      reason: "Which run cache a test uses is said by the workflow's omx.yaml.",
    },
    { finding: omics(production, "run"), at: [`${prod}/Release`], reason: "The id of a smoke run is made by HealthOmics when it starts." },
    { finding: omics(cicd, "task"), at: ["omx-cicd/Judge"], reason: "A task's id is made by HealthOmics when it starts." },
    { finding: omics(cicd, "workflow"), at: ["omx-cicd/TestRun", `${wf}/Build`], reason: workflowId },
    { finding: omics(production, "workflow"), at: [`${prod}/Release`], reason: workflowId },
  ];
}

/** Executions of state machines, which are named when they start. */
function executionsToCome(reviewed: Reviewed): readonly Acknowledgement[] {
  const { wf } = paths(reviewed);
  const executions = (machine: string): string => resource(`arn:aws:states:${within(reviewed.cicd)}:execution:${machine}:*`);
  const named = "The name of an execution holds the commit it is for.";
  return [
    { finding: executions("omx-container-builder"), at: [`${wf}/Build`], reason: named },
    { finding: executions("omx-container-puller"), at: [`${wf}/Build`], reason: named },
    {
      finding: executions("omx-test-run"),
      at: [`${wf}/Pipeline/Test/Test/CodePipelineActionRole`],
      reason: "CodePipeline names the executions it starts.",
    },
  ];
}

const STAGING = ["PullImage", "BuildImage", "ImageBuild", "ImagePull", "RepositoryPolicy"].map((id) => `omx-containers/${id}`);

/** Repositories, which are named by what definitions use. */
function repositoriesToCome(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production } = reviewed;
  const { wf, prod } = paths(reviewed);
  return [
    {
      finding: resource(`arn:aws:ecr:${within(production)}:repository/*`),
      at: [`${prod}/Release`],
      reason:
        "Images that are promoted by copy go to repositories named as in cicd; making them and setting their policies is allowed with our tag alone.",
    },
    {
      finding: resource(`arn:aws:ecr:${within(cicd)}:repository/*`),
      at: [...STAGING, `${wf}/Build`, `${wf}/Promote`, `${prod}/Release`],
      reason:
        "Repositories are named by the images that definitions use; making them and setting their policies is allowed with our tag alone.",
    },
    {
      finding: resource(`arn:aws:ecr:${cicd.region}:*:repository/*`),
      at: ["omx-cicd/RunRole", `${prod}/RunRole`],
      reason:
        "A definition may name images of any account whose repository lets this one read: reading needs that repository's policy as well.",
    },
  ];
}
