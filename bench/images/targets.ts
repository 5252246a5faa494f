import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  CreatePullThroughCacheRuleCommand,
  CreateRepositoryCommand,
  CreateRepositoryCreationTemplateCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
} from "@aws-sdk/client-ecr";
import { readProfile } from "../../src/cli/aws/profiles.ts";
import { stagingStatements } from "../../src/release/images/repositories/repository-policy.ts";

/** The local ECR with empty repositories, in a process of its own as `omx local start` starts it. */
export interface Target extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  /** What stands before a repository's name: `127.0.0.1:4577/111122223333/us-east-1/`. */
  readonly prefix: string;
  /** AWS's configuration, for omx. */
  readonly configFile: string;
  /** Docker's configuration with the password, for the other programs. */
  readonly dockerConfig: string;
  /** The most memory that the local accounts have used, in MB. */
  peakMb(): Promise<number>;
}

/** The program as it is installed. */
export const OMX = join(import.meta.dirname, "..", "..", "bin", "omx");

/** The identity that copies, of the account whose ECR is the target. */
export const PROFILE = "cicd";

/** omx leaves repositories of others as they are, and refuses those that HealthOmics may not read. */
const OURS = [{ Key: "createdBy", Value: "omx-ecr-helper" }];

export interface TargetOptions {
  /** Repositories to make. @default - none */
  readonly repositories?: readonly string[];
  /** For the accounts' state. @default - a folder of the target's own */
  readonly dataDir?: string | undefined;
  /** Where ECR's pull-through cache reads quay.io, by a rule and a template as a deployment has them. @default - no rule */
  readonly cacheOf?: string | undefined;
}

/** Starts the local accounts. */
export async function startTarget({ repositories = [], dataDir: given, cacheOf }: TargetOptions): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), "omx-bench-"));
  const dataDir = given ?? join(folder, "data");
  const upstream = cacheOf === undefined ? [] : ["--upstream", `quay.io=${cacheOf}`];
  const child = spawn(process.execPath, [OMX, "local", "start", "--json", "--port", "0", "--data", dataDir, ...upstream], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said = (said + String(chunk)).slice(-500)));
  const { url, pid, configFile, accounts } = await started(child.stdout, () => said);
  const profile = readProfile(configFile, PROFILE);
  const region = profile?.region ?? "us-east-1";
  const ecr = new ECRClient({ endpoint: url, region, ...(profile?.credentials && { credentials: profile.credentials }) });
  for (const repositoryName of repositories) await ecr.send(new CreateRepositoryCommand({ repositoryName, tags: OURS }));
  if (cacheOf !== undefined) await makeRule(ecr, { account: accounts.find(({ name }) => name === PROFILE)?.id ?? "", region });
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  ecr.destroy();
  const { host } = new URL(url);
  const auth = authorizationData?.[0]?.authorizationToken;
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
  return {
    url,
    pid,
    dataDir,
    prefix: `${host}/${accounts.find(({ name }) => name === PROFILE)?.id}/${region}/`,
    configFile,
    dockerConfig: folder,
    peakMb: () => peakMbOf(pid),
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "close");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Repositories that the cache makes are omx's, and HealthOmics may read them, from the first image on. */
async function makeRule(ecr: ECRClient, place: { readonly account: string; readonly region: string }): Promise<void> {
  const repositoryPolicy = JSON.stringify({ Version: "2012-10-17", Statement: stagingStatements(place) });
  await ecr.send(
    new CreateRepositoryCreationTemplateCommand({
      prefix: "quay",
      appliedFor: ["PULL_THROUGH_CACHE"],
      resourceTags: OURS,
      repositoryPolicy,
    }),
  );
  await ecr.send(new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "quay", upstreamRegistryUrl: "quay.io" }));
}

/** The most memory that a process has used so far, in MB. */
export async function peakMbOf(pid: number): Promise<number> {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024);
}

interface Started {
  readonly url: string;
  readonly pid: number;
  readonly configFile: string;
  readonly accounts: readonly { readonly id: string; readonly name: string }[];
}

/** The document that the local accounts print when they answer. */
async function started(output: NodeJS.ReadableStream, said: () => string): Promise<Started> {
  let text = "";
  for await (const line of createInterface(output)) {
    text += line;
    try {
      return JSON.parse(text) as Started;
    } catch {
      // Not whole yet.
    }
  }
  throw new Error(`the local accounts did not start: ${said()}`);
}
