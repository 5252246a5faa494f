import { createHash } from "node:crypto";

/**
 * The names of what `omx deploy` makes. Release code finds resources by them, the CDK app gives them.
 * The two state machines of containers, their inputs and the tag keep the names that users of the reference know.
 */
export const NAMES = {
  puller: "omx-container-puller",
  builder: "omx-container-builder",
  testRun: "omx-test-run",
  runRole: "omx-run",
  promoteRole: "omx-promote",
  /** In cicd: lets production ask whether an approval precedes a bundle. */
  approvalReaderRole: "omx-approval-reader",
  /** In production: checks a bundle and creates its version. */
  releaseRole: "omx-release",
  verifyRole: "omx-verify-bundle",
  imageBuildProject: "omx-image-build",
  imagePullProject: "omx-image-pull",
  releaseProject: "omx-release",
  buildStage: "Build",
  buildAction: "Build",
  /** The Build action's output variable that names what it made: contentDigest of its record. */
  contentVariable: "OMX_CONTENT",
  approvalTopic: "omx-approvals",
  approvalStage: "Approve",
  approvalAction: "Approve",
} as const;

const LONGEST_ROLE_NAME = 64;

/**
 * The name of a role: roles are an account's, a deployment is one region's, and two regions of an account each have
 * theirs. One too long for IAM ends in a hash of itself.
 */
export function roleName(role: string, region: string): string {
  const name = `${role}-${region}`;
  return name.length <= LONGEST_ROLE_NAME
    ? name
    : `${name.slice(0, LONGEST_ROLE_NAME - 9)}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}

/** Marks repositories that omx made. */
export const CREATED_BY = { key: "createdBy", value: "omx-ecr-helper" } as const;

/** On repositories that omx made for pulled images: where these come from. */
export const SOURCE_TAG = "omx:source";

/** The pipeline of a workflow. */
export const pipelineName = (workflow: string): string => `omx-${workflow}`;

/**
 * What the cicd account's stack exports for each workflow that its deployment names, and the workflow's stack imports: who
 * deploys there without naming it is refused by CloudFormation, which says this name.
 */
export const deployedWorkflow = (workflow: string): string => `omx-deploy-yaml-names-${workflow}`;

/** The stack of a workflow. */
export const workflowStack = (workflow: string): string => `omx-workflow-${workflow}`;

/** CodeBuild projects of a workflow. */
export const projectName = (workflow: string, purpose: "checks" | "build" | "promote"): string => `omx-${workflow}-${purpose}`;

/** In cicd: pipeline artifacts, test data, test outputs and evidence. */
export const artifactsBucket = (account: string, region: string): string => `omx-artifacts-${account}-${region}`;

/** In production: where a release is read. */
export const releasesBucket = (account: string, region: string): string => `omx-releases-${account}-${region}`;

/** Folders of the artifacts bucket. */
export const PREFIXES = {
  /** `<workflow>/<version>/<test>/`: data of the tests, staged from the repository. */
  testData: "test-data",
  /** Outputs of test runs. */
  testOutputs: "test-outputs",
  /** `<workflow>/<version>/`: reports, differences, the release's record. */
  evidence: "evidence",
  /** `<workflow>/<digest>.zip`: definitions that are too large for a request. */
  definitions: "definitions",
  /** `<workflow>/<hash>.zip`: sources of images that are built. */
  imageSources: "image-sources",
} as const;
