import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import {
  type BuildEnvironmentVariable,
  BuildSpec,
  ComputeType,
  type IArtifacts,
  type ISource,
  LinuxBuildImage,
  PipelineProject,
  Project,
} from "aws-cdk-lib/aws-codebuild";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { NAMES } from "../../release/names.ts";

export interface BuildProjectProps {
  readonly name: string;
  readonly description: string;
  readonly buildSpec: object;
  readonly key: IKey;
  readonly environment: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatement[];
  readonly roleName?: string;
  /** @default a project of CodePipeline */
  readonly source?: ISource;
  readonly secondarySources?: ISource[];
  readonly artifacts?: IArtifacts;
  /** Docker inside the build. @default false */
  readonly privileged?: boolean;
  readonly timeout?: Duration;
  /** @default 2 processors, 4 GiB and 64 GB of disk */
  readonly computeType?: ComputeType;
}

// What undici, the toolkit's HTTP client, needs; of an older one the build would show a page of bundled code.
const OLDEST_NODE = "22.19.0";

/** A build's Node: which 22 the image brings is AWS's, and an image that a project or account pins may be an old one. */
export const INSTALL_NODE: object = {
  "runtime-versions": { nodejs: 22 },
  commands: [
    `printf '%s\\n' v${OLDEST_NODE} "$(node --version)" | sort -V -C || { echo "omx needs Node ${OLDEST_NODE} or newer, and this build's image has $(node --version): let the project use the latest version of its image" >&2; exit 1; }`,
  ],
};

/** A buildspec of one command of the toolkit. `folder` is where the toolkit lies, in the shell's words. */
export const toolkitBuildSpec = (folder: string, command: string): object => ({
  version: "0.2",
  env: { shell: "bash" },
  phases: {
    install: INSTALL_NODE,
    build: { commands: [`node "${folder}/omx-ci.mjs" ${command}`] },
  },
});

/** The buildspec of a release: its artifact is what was built, and its output variable names that by a digest (decision 0026). */
export const releaseBuildSpec = (folder: string): object => ({
  version: "0.2",
  env: { shell: "bash", "exported-variables": [NAMES.contentVariable] },
  phases: {
    install: INSTALL_NODE,
    // A failure must not hide behind the export.
    build: {
      commands: [
        `node "${folder}/omx-ci.mjs" build`,
        `${NAMES.contentVariable}="$(node "${folder}/omx-ci.mjs" content)" && export ${NAMES.contentVariable}`,
      ],
    },
  },
  artifacts: { "base-directory": "$CODEBUILD_SRC_DIR/.omx-release", files: ["**/*"] },
});

/** A CodeBuild project with a role and a log group of its own. */
export class BuildProject extends Construct {
  readonly project: Project | PipelineProject;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: BuildProjectProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, "Logs", {
      logGroupName: `/aws/codebuild/${props.name}`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = this.makeRole(props);
    const shared = {
      ...ofAnyProject(props),
      role: this.role.withoutPolicyUpdates(),
      logging: { cloudWatch: { logGroup } },
    };
    this.project = props.source
      ? new Project(this, "Project", {
          ...shared,
          source: props.source,
          ...(props.secondarySources && { secondarySources: props.secondarySources }),
          ...(props.artifacts && { artifacts: props.artifacts }),
        })
      : new PipelineProject(this, "Project", shared);
  }

  private makeRole({ name, roleName, statements }: BuildProjectProps): Role {
    const { partition, region, account } = Stack.of(this);
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("codebuild.amazonaws.com"),
      description: `What ${name} may do`,
      ...(roleName && { roleName }),
    });
    const writeLogs = new PolicyStatement({
      sid: "Logs",
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [`arn:${partition}:logs:${region}:${account}:log-group:/aws/codebuild/${name}:*`],
    });
    for (const statement of [writeLogs, ...statements]) role.addToPolicy(statement);
    return role;
  }
}

/** What is said of a project in the same words whether a pipeline starts it or somebody else. */
const ofAnyProject = (props: BuildProjectProps) => ({
  projectName: props.name,
  description: props.description,
  buildSpec: BuildSpec.fromObjectToYaml(props.buildSpec as Record<string, unknown>),
  encryptionKey: props.key,
  timeout: props.timeout ?? Duration.hours(1),
  environment: {
    buildImage: LinuxBuildImage.STANDARD_7_0,
    computeType: props.computeType ?? ComputeType.SMALL,
    privileged: props.privileged ?? false,
  },
  environmentVariables: Object.fromEntries(
    Object.entries(props.environment).map(([name, value]): [string, BuildEnvironmentVariable] => [name, { value }]),
  ),
});
