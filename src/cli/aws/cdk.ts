import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { awsClients } from "../../aws/clients.ts";
import { readDeployConfig } from "../../infra/read-config.ts";
import type { Place } from "../../release/project/deploy-config.ts";
import { findRunning } from "../accounts/data-dir.ts";
import { type Cli, Problem } from "../cli.ts";
import { readProfile } from "./profiles.ts";
import { openSession, type Session } from "./session.ts";

export interface Deployment {
  /** omx.deploy.yaml */
  readonly config: string;
  readonly profile?: string;
  /** Given to `cdk deploy` as they are. */
  readonly args?: readonly string[];
}

/**
 * `cdk deploy --all` of omx's stacks. In the local accounts each account is bootstrapped first, where it is not yet.
 * @throws Problem when cdk fails; it has said why
 */
export async function deployStacks(cli: Cli, { config, profile, args = [] }: Deployment): Promise<void> {
  const session = await openSession(cli, { ...(profile && { profile }) });
  cli.say(`deploying ${config} as ${session.arn}${session.local ? ` of the local accounts at ${session.local.endpoint}` : ""}`);
  if (session.local) await bootstrapLocally(cli, session, config);
  await cdk(cli, session, ["deploy", "--all", "--require-approval", "never", "--context", `config=${resolve(config)}`, ...args]);
}

async function bootstrapLocally(cli: Cli, session: Session, config: string): Promise<void> {
  const { local } = session;
  if (!local) return;
  const accounts = findRunning(local.dataDir)?.accounts ?? [];
  const { cicd, production } = readDeployConfig(config);
  for (const place of distinct([cicd, ...production])) {
    const profile = accounts.find(({ id }) => id === place.account)?.profile;
    if (!profile) throw new Problem(`${config} names account ${place.account}, and the local accounts have none of that number`, "start them with --account ID=NAME for each, or deploy to AWS with --profile");
    if (await isBootstrapped(local, { profile, place })) continue;
    const trust = place.account === cicd.account ? [] : ["--trust", cicd.account, "--cloudformation-execution-policies", "arn:aws:iam::aws:policy/AdministratorAccess"];
    await cdk(cli, { ...session, profile }, ["bootstrap", `aws://${place.account}/${place.region}`, ...trust]);
  }
}

const distinct = (places: readonly Place[]): readonly Place[] => [...new Map(places.map((place) => [`${place.account} ${place.region}`, place])).values()];

async function isBootstrapped({ endpoint, configFile }: NonNullable<Session["local"]>, { profile, place }: { readonly profile: string; readonly place: Place }): Promise<boolean> {
  const credentials = readProfile(configFile, profile)?.credentials;
  if (!credentials) return false;
  const { cloudformation } = awsClients({ endpoint, region: place.region, credentials });
  const found = await cloudformation.send(new DescribeStacksCommand({ StackName: "CDKToolkit" })).catch((error: Error) => {
    if (error.name === "ValidationError") return undefined;
    throw error;
  });
  return /^(?:CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(found?.Stacks?.[0]?.StackStatus ?? "");
}

/** Runs the project's own cdk in the project's folder; what it says goes to stderr. */
async function cdk(cli: Cli, { profile, local }: Session, args: readonly string[]): Promise<void> {
  const { settings } = cli;
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, AWS_SESSION_TOKEN: _token, ...withoutKeys } = settings.inherited;
  const env = {
    ...(local ? { ...withoutKeys, AWS_CONFIG_FILE: resolve(local.configFile), AWS_SHARED_CREDENTIALS_FILE: "/dev/null", AWS_EC2_METADATA_DISABLED: "true", CDK_DISABLE_CLI_TELEMETRY: "true", NO_PROXY: "127.0.0.1,localhost" } : settings.inherited),
    PATH: settings.path,
  };
  const program = join(settings.root, "node_modules", ".bin", "cdk");
  const all = [...args, ...(profile ? ["--profile", profile] : []), ...(local ? ["--no-notices"] : [])];
  const code = await new Promise<number | null>((done, fail) => {
    spawn(program, all, { cwd: settings.root, env, stdio: ["inherit", 2, 2] }).once("error", fail).once("exit", done);
  });
  if (code !== 0) throw new Problem(`cdk ${args[0]} failed (exit code ${code})`, "its message is above; `cdk deploy` again goes on from what is there");
}
