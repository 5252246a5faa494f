import type { Core } from "../gateway/service.ts";

export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
  readonly type?: "PLAINTEXT" | "PARAMETER_STORE" | "SECRETS_MANAGER";
}

export interface ProjectSource {
  readonly type: string;
  readonly location?: string;
  readonly buildspec?: string;
  readonly sourceIdentifier?: string;
  readonly [member: string]: unknown;
}

export interface ProjectArtifacts {
  readonly type: string;
  readonly location?: string;
  readonly path?: string;
  readonly name?: string;
  /** NONE (files in a folder) by default. */
  readonly packaging?: string;
  readonly namespaceType?: string;
  readonly artifactIdentifier?: string;
  readonly overrideArtifactName?: boolean;
  readonly [member: string]: unknown;
}

/** A project as CreateProject takes it; members without effect here are kept and given back. */
export interface Project {
  readonly name: string;
  readonly arn: string;
  readonly description?: string;
  readonly source: ProjectSource;
  readonly secondarySources?: readonly ProjectSource[];
  readonly artifacts: ProjectArtifacts;
  readonly secondaryArtifacts?: readonly ProjectArtifacts[];
  /** Of the primary source, where a build names none. */
  readonly sourceVersion?: string;
  readonly secondarySourceVersions?: readonly { readonly sourceIdentifier: string; readonly sourceVersion: string }[];
  readonly environment: {
    readonly type: string;
    readonly image: string;
    readonly computeType: string;
    readonly privilegedMode?: boolean;
    readonly environmentVariables?: readonly EnvironmentVariable[];
  };
  readonly serviceRole: string;
  readonly timeoutInMinutes: number;
  readonly encryptionKey?: string;
  readonly logsConfig?: {
    readonly cloudWatchLogs?: { readonly status?: string; readonly groupName?: string; readonly streamName?: string };
  };
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
  readonly created: string;
  readonly lastModified: string;
  readonly [member: string]: unknown;
}

/** An object that CodePipeline hands in or wants out. */
export interface PipelineArtifact {
  readonly name: string;
  readonly bucket: string;
  readonly key: string;
}

export interface BuildPhase {
  readonly phaseType: string;
  readonly phaseStatus?: string;
  readonly startTime: string;
  readonly endTime?: string;
  readonly contexts?: readonly { readonly statusCode: string; readonly message: string }[];
}

export interface Build {
  /** `project:uuid` */
  readonly id: string;
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly projectName: string;
  readonly buildNumber: number;
  readonly buildStatus: "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "FAULT" | "STOPPED" | "TIMED_OUT";
  readonly currentPhase: string;
  readonly phases: readonly BuildPhase[];
  readonly startTime: string;
  readonly endTime?: string;
  readonly initiator: string;
  readonly sourceVersion?: string;
  readonly project: Project;
  readonly environmentOverrides: readonly EnvironmentVariable[];
  readonly exportedEnvironmentVariables?: readonly { readonly name: string; readonly value: string }[];
  readonly logs: { readonly group: string; readonly stream: string };
  readonly pipeline?: { readonly inputs: readonly PipelineArtifact[]; readonly outputs: readonly PipelineArtifact[] };
  readonly idempotencyToken?: string;
  /** Bytes of the log that are in CloudWatch already. */
  readonly logOffset: number;
}

/** Where CodeBuild remembers. */
export function createStore({ database }: Core) {
  return {
    /** Key account, region, name. */
    projects: database.collection<Project>("codebuild.project"),
    /** Key account, region, id. */
    builds: database.collection<Build>("codebuild.build", {
      project: (build) => `${build.account}/${build.region}/${build.projectName}`,
      running: (build) => (build.buildStatus === "IN_PROGRESS" ? "yes" : undefined),
      token: (build) => build.idempotencyToken && `${build.account}/${build.region}/${build.projectName}/${build.idempotencyToken}`,
    }),
    transaction: <R>(work: () => R): R => database.transaction(work),
  };
}

export type Store = ReturnType<typeof createStore>;
