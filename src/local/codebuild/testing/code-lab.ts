import { CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  BatchGetBuildsCommand,
  type Build,
  CodeBuildClient,
  CreateProjectCommand,
  type CreateProjectCommandInput,
  StartBuildCommand,
  type StartBuildCommandInput,
} from "@aws-sdk/client-codebuild";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { systemClock } from "../../../kit/clock.ts";
import type { TestAccounts } from "../../testing/accounts.ts";

/** What tests of builds and pipelines do all the time, in the first account. */
export interface CodeLab {
  readonly codebuild: CodeBuildClient;
  readonly iam: IAMClient;
  readonly s3: S3Client;
  /** The ARN of a new role that the service takes and that may do these things. */
  role(service: string, name: string, actions: readonly string[]): Promise<string>;
  /** A bucket with these files as `source.zip`. */
  archive(bucket: string, files: Readonly<Record<string, string>>): Promise<void>;
  /** A project without source whose role may write logs and do `actions`. */
  project(
    name: string,
    buildspec: object | string,
    more?: Partial<CreateProjectCommandInput> & { readonly actions?: readonly string[] },
  ): Promise<void>;
  /** A build of the project that has ended. */
  build(projectName: string, more?: Partial<StartBuildCommandInput>): Promise<Build>;
  /** What a build said, line by line. */
  linesOf(build: Build): Promise<readonly string[]>;
}

const policy = (statement: object): string => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });

/** Asks until the answer is the one waited for; the test's own time limit ends it. */
export async function until<T>(ask: () => Promise<T>, isThere: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isThere(answer)) return answer;
    await systemClock.sleep(50);
  }
}

export function codeLab(accounts: Pick<TestAccounts, "config">): CodeLab {
  const config = accounts.config();
  const [codebuild, iam, s3, logs] = [
    new CodeBuildClient(config),
    new IAMClient(config),
    new S3Client(config),
    new CloudWatchLogsClient(config),
  ];
  const role: CodeLab["role"] = async (service, name, actions) => {
    const trust = policy({ Effect: "Allow", Principal: { Service: `${service}.amazonaws.com` }, Action: "sts:AssumeRole" });
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust }));
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: name,
        PolicyName: "own",
        PolicyDocument: policy({ Effect: "Allow", Action: actions, Resource: "*" }),
      }),
    );
    return Role?.Arn ?? "";
  };
  return {
    codebuild,
    iam,
    s3,
    role,
    async archive(Bucket, files) {
      await s3.send(new CreateBucketCommand({ Bucket }));
      await s3.send(
        new PutObjectCommand({
          Bucket,
          Key: "source.zip",
          Body: zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]))),
        }),
      );
    },
    async project(name, buildspec, { actions = [], ...more } = {}) {
      const serviceRole = await role("codebuild", `${name}-builder`, ["logs:*", ...actions]);
      await codebuild.send(
        new CreateProjectCommand({
          name,
          serviceRole,
          source: { type: "NO_SOURCE", buildspec: typeof buildspec === "string" ? buildspec : JSON.stringify(buildspec) },
          artifacts: { type: "NO_ARTIFACTS" },
          environment: { type: "LINUX_CONTAINER", image: "aws/codebuild/standard:7.0", computeType: "BUILD_GENERAL1_SMALL" },
          ...more,
        }),
      );
    },
    async build(projectName, more = {}) {
      const { build } = await codebuild.send(new StartBuildCommand({ projectName, ...more }));
      const ended = await until(
        () => codebuild.send(new BatchGetBuildsCommand({ ids: [build?.id ?? ""] })),
        ({ builds }) => builds?.[0]?.buildStatus !== "IN_PROGRESS",
      );
      return ended.builds![0]!;
    },
    async linesOf(build) {
      const { events = [] } = await logs.send(
        new GetLogEventsCommand({ logGroupName: build.logs?.groupName, logStreamName: build.logs?.streamName ?? "", startFromHead: true }),
      );
      return events.map(({ message = "" }) => message);
    },
  };
}
