import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { readProfile } from "../../src/cli/aws/profiles.ts";

/** The local ECR with empty repositories, in a process of its own as `omx local start` starts it. */
export interface Target extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
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

/** Starts the local accounts and makes the repositories. @param dataDir for their state, a folder of the target's own by default */
export async function startTarget(repositories: readonly string[], dataDir?: string): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), "omx-bench-"));
  const child = spawn(process.execPath, [OMX, "local", "start", "--json", "--port", "0", "--data", dataDir ?? join(folder, "data")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said = (said + String(chunk)).slice(-500)));
  const { url, pid, configFile, accounts } = await started(child.stdout, () => said);
  const profile = readProfile(configFile, PROFILE);
  const region = profile?.region ?? "us-east-1";
  const ecr = new ECRClient({ endpoint: url, region, ...(profile?.credentials && { credentials: profile.credentials }) });
  for (const repositoryName of repositories) await ecr.send(new CreateRepositoryCommand({ repositoryName, tags: OURS }));
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  ecr.destroy();
  const { host } = new URL(url);
  const auth = authorizationData?.[0]?.authorizationToken;
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
  return {
    url,
    pid,
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
