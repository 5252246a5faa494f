import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { cloudformation } from "../../aws/services/cloudformation.ts";
import { readDeployConfig } from "../../infra/read-config.ts";
import type { Place } from "../../release/project/deploy-config.ts";
import { findRunning } from "../accounts/data-dir.ts";
import { type Cli, Problem } from "../cli.ts";
import { refuseOtherDeployment } from "./one-deployment.ts";
import { readProfile } from "./profiles.ts";
import { openSession, type Session } from "./session.ts";

export interface Deployment {
  /** omx.deploy.yaml */
  readonly config: string;
  readonly profile?: string;
  /** Given to `cdk deploy` as they are. */
  readonly args?: readonly string[];
  /** Takes what cdk prints, a line at a time. @default standard error */
  onLine?(line: string): void;
}

/** Who deploys: enough of a session to run cdk. */
type Deployer = Pick<Session, "profile" | "local">;

/**
 * `cdk deploy --all` of omx's stacks. In the local accounts each account is bootstrapped first, where it is not yet.
 * @throws DeployConfigInvalid before anybody is asked; Problem where another deployment's stacks stand, or when cdk fails, with what it said last where nobody has seen it
 */
export async function deployStacks(cli: Cli, deployment: Deployment): Promise<void> {
  const { config, profile } = deployment;
  readDeployConfig(config);
  const session = await openSession(cli, { ...(profile && { profile }) }, {});
  cli.say(`deploying ${config} as ${session.arn}${session.local ? ` of the local accounts at ${session.local.endpoint}` : ""}`);
  await refuseOtherDeployment(cli, deployment);
  await deployAs(cli, session, deployment);
}

/** The same as somebody who is known already. */
export async function deployAs(cli: Cli, deployer: Deployer, deployment: Deployment): Promise<void> {
  const { config, args = [] } = deployment;
  if (deployer.local) await bootstrapLocally(cli, deployer, deployment);
  const output = deployer.local ? ["--output", join(workFolder(deployer.local), "cdk.out")] : [];
  await cdk({ cli, deployer, ...deployment }, [
    "deploy",
    "--all",
    "--require-approval",
    "never",
    "--concurrency",
    "4",
    "--context",
    `config=${resolve(config)}`,
    ...output,
    ...args,
  ]);
}

/** cdk's own files of a deployment to local accounts: two at once must not share the clone's cdk.out, nor each other's. */
function workFolder({ dataDir }: NonNullable<Session["local"]>): string {
  const folder = join(dataDir, "work", "cdk");
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function bootstrapLocally(cli: Cli, deployer: Deployer, deployment: Deployment): Promise<void> {
  const { local } = deployer;
  if (!local) return;
  const accounts = findRunning(local.dataDir)?.accounts ?? [];
  const { cicd, production } = readDeployConfig(deployment.config);
  await Promise.all(
    distinct([cicd, ...production]).map(async (place) => {
      const profile = accounts.find(({ id }) => id === place.account)?.profile;
      if (!profile)
        throw new Problem(
          `${deployment.config} names account ${place.account}, and the local accounts have none of that number`,
          "start them with --account ID=NAME for each, or deploy to AWS with --profile",
        );
      if (await isBootstrapped(local, { profile, place })) return;
      const trust =
        place.account === cicd.account
          ? []
          : ["--trust", cicd.account, "--cloudformation-execution-policies", "arn:aws:iam::aws:policy/AdministratorAccess"];
      await cdk({ cli, deployer: { ...deployer, profile }, ...deployment }, [
        "bootstrap",
        `aws://${place.account}/${place.region}`,
        "--output",
        join(workFolder(local), `${profile}-${place.region}`),
        ...trust,
      ]);
    }),
  );
}

const distinct = (places: readonly Place[]): readonly Place[] => [
  ...new Map(places.map((place) => [`${place.account} ${place.region}`, place])).values(),
];

async function isBootstrapped(
  { endpoint, configFile }: NonNullable<Session["local"]>,
  { profile, place }: { readonly profile: string; readonly place: Place },
): Promise<boolean> {
  const credentials = readProfile(configFile, profile)?.credentials;
  if (!credentials) return false;
  const found = await cloudformation({ endpoint, region: place.region, credentials })
    .send(new DescribeStacksCommand({ StackName: "CDKToolkit" }))
    .catch((error: Error) => {
      if (error.name === "ValidationError") return undefined;
      throw error;
    });
  return /^(?:CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(found?.Stacks?.[0]?.StackStatus ?? "");
}

interface CdkRun extends Pick<Deployment, "onLine"> {
  readonly cli: Cli;
  readonly deployer: Deployer;
}

const LAST_LINES = 25;

/** Runs the project's own cdk in the project's folder; what it says goes to stderr, or to who listens. */
async function cdk({ cli, deployer: { profile, local }, onLine }: CdkRun, args: readonly string[]): Promise<void> {
  const { settings } = cli;
  const program = join(settings.root, "node_modules", ".bin", "cdk");
  const all = [...args, ...(profile ? ["--profile", profile] : []), ...(local ? ["--no-notices"] : []), ...(onLine ? ["--ci"] : [])];
  const last: string[] = [];
  const code = await new Promise<number | null>((done, fail) => {
    const child = spawn(program, all, {
      cwd: settings.root,
      env: environmentFor(cli, local),
      stdio: onLine ? ["ignore", "pipe", "pipe"] : ["inherit", 2, 2],
    });
    for (const stream of [child.stdout, child.stderr])
      if (stream)
        createInterface({ input: stream }).on("line", (line) => {
          if (line.trim() === "") return;
          last.splice(0, Math.max(0, last.push(line) - LAST_LINES));
          onLine?.(line);
        });
    child.once("error", fail).once("close", done);
  });
  if (code !== 0)
    throw new Problem(
      [`cdk ${args[0]} failed (exit code ${code})`, ...last].join("\n"),
      `${onLine ? "correct what it names" : "its message is above"}; deploying again goes on from what is there`,
    );
}

/** Keys and endpoints of the user's own environment must not lead elsewhere when the local accounts are meant. */
function environmentFor({ settings }: Cli, local: Session["local"]): Record<string, string | undefined> {
  if (!local) return { ...settings.inherited, PATH: settings.path };
  const withoutAws = Object.fromEntries(Object.entries(settings.inherited).filter(([name]) => !name.startsWith("AWS_")));
  return {
    ...withoutAws,
    PATH: settings.path,
    AWS_CONFIG_FILE: resolve(local.configFile),
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    CDK_DISABLE_CLI_TELEMETRY: "true",
    NO_PROXY: "127.0.0.1,localhost",
  };
}
