import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { readProfile } from "../src/cli/aws/profiles.ts";
import { assembleHostImage } from "../src/oci/image/host-image.ts";
import { serveImages } from "../src/oci/image/serve.ts";
import { type Omx, omx, type Ran } from "../src/cli/testing/omx.ts";
import { root } from "./demo.ts";

/** Local accounts with omx deployed to them, as a user gets them by the commands of the README. */
export interface Journey extends AsyncDisposable {
  readonly cli: Omx;
  readonly url: string;
  readonly configFile: string;
  /** What encrypts production's own repositories in us-east-1. */
  readonly productionKey: string;
  /** A clone of a workflow's repository, with what is put into it. */
  clone(workflow: string): Clone;
}

export interface Clone {
  readonly folder: string;
  /** Replaces what is there by an example. */
  take(example: string): void;
  write(file: string, text: string): void;
  /** Commits everything and pushes it as the developer. @returns the commit */
  push(message: string, branch?: string): Promise<string>;
}

const PUBLIC_IMAGE = { repository: "docker/library/python", tag: "3.12-slim-bookworm" };

/** Starts local accounts with an upstream of this machine's programs, and deploys omx for the workflows. */
export async function startJourney(workflows: readonly string[]): Promise<Journey> {
  const folder = mkdtempSync(join(tmpdir(), "omx-journey-"));
  const upstream = await serveImages([{ ...PUBLIC_IMAGE, image: await assembleHostImage({ folder: join(folder, "image") }) }]);
  const cli = omx();
  const dispose = async (): Promise<void> => {
    await cli[Symbol.asyncDispose]();
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const started = done(
      await cli.run(
        "local",
        "start",
        "--detach",
        "--json",
        "--port",
        "0",
        "--containers",
        "host",
        "--upstream",
        `public.ecr.aws=${upstream.url}`,
      ),
    ).json<{ url: string; configFile: string }>();
    const productionKey = await keyOf("production", started);
    const config = join(folder, "omx.deploy.yaml");
    writeFileSync(
      config,
      [
        'cicd: { account: "111122223333", region: us-east-1 }',
        "production:",
        ...["us-east-1", "eu-west-1"].map((region) => `  - { account: "444455556666", region: ${region} }`),
        "keepData: false",
        `containers: { repositories: { kmsKeys: ["${productionKey}"] } }`,
        "workflows:",
        ...workflows.map((workflow) => `  ${workflow}: {}`),
        "",
      ].join("\n"),
    );
    done(await cli.run("deploy", "--config", config, "--json"));
    return {
      cli,
      ...started,
      productionKey,
      clone: (workflow) => openClone(cli, { folder: join(folder, workflow), remote: `${started.url}/v1/repos/${workflow}` }),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** A new KMS key of an account. */
async function keyOf(profile: string, { url, configFile }: { readonly url: string; readonly configFile: string }): Promise<string> {
  const { credentials } = readProfile(configFile, profile) ?? {};
  const kms = new KMSClient({ region: "us-east-1", endpoint: url, ...(credentials && { credentials }) });
  return (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? "";
}

/** The command, which must have done what it was asked. */
export function done(ran: Ran): Ran {
  if (ran.code !== 0) throw new Error(`exit code ${ran.code}\n${ran.stdout.slice(-2000)}\n${ran.stderr.slice(-4000)}`);
  return ran;
}

function openClone(cli: Omx, { folder, remote }: { readonly folder: string; readonly remote: string }): Clone {
  const identity = ["-c", "user.name=Developer", "-c", "user.email=developer@example.org", "-c", "credential.UseHttpPath=true"];
  const helper = [
    "-c",
    `credential.helper=!'${join(root, "bin", "omx")}' local git-credential --profile developer --data '${cli.dataDir}'`,
  ];
  const git = (...args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) =>
      execFile("git", [...identity, ...helper, ...args], { cwd: folder }, (error, stdout, stderr) =>
        error ? reject(new Error(`git ${args[0]}: ${stderr}`)) : resolve(stdout.trim()),
      ),
    );
  const isNew = mkdirSync(folder, { recursive: true }) !== undefined;
  const ready = isNew ? git("init", "--quiet", "--initial-branch=main") : Promise.resolve("");
  return {
    folder,
    take: (example) => cpSync(join(root, "examples", example), folder, { recursive: true }),
    write(file, text) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    },
    async push(message, branch = "main") {
      await ready;
      await git("add", "--all");
      await git("commit", "--quiet", "--allow-empty", "-m", message);
      await git("push", "--quiet", remote, `HEAD:refs/heads/${branch}`);
      return git("rev-parse", "HEAD");
    },
  };
}
