import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import type { AwsClients } from "../../aws/clients.ts";
import { type Cli, Problem } from "../cli.ts";

export interface Deployment {
  readonly cli: Cli;
  readonly configFile: string;
  readonly dataDir: string;
  /** Tells what `cdk` prints, a line at a time. */
  onLine(line: string): void;
}

const REGION = "us-east-1";

/** Bootstraps both accounts where that was not done, and deploys the CDK app to them, with the real `cdk`. */
export async function deployApp(deployment: Deployment, clients: { readonly cicd: AwsClients; readonly production: AwsClients }): Promise<void> {
  const { dataDir } = deployment;
  const work = join(dataDir, "work", "cdk");
  mkdirSync(work, { recursive: true });
  const trust = ["--trust", "111122223333", "--cloudformation-execution-policies", "arn:aws:iam::aws:policy/AdministratorAccess"];
  await Promise.all([
    isBootstrapped(clients.cicd) .then((done) => done || cdk(deployment, work, ["bootstrap", `aws://111122223333/${REGION}`, "--profile", "cicd"])),
    isBootstrapped(clients.production).then((done) => done || cdk(deployment, work, ["bootstrap", `aws://444455556666/${REGION}`, "--profile", "production", ...trust])),
  ]);
  await cdk(deployment, deployment.cli.settings.root, ["deploy", "--all", "--require-approval", "never", "--profile", "cicd", "--concurrency", "4", "--output", join(work, "cdk.out")]);
}

const isBootstrapped = ({ cloudformation }: AwsClients): Promise<boolean> =>
  cloudformation.send(new DescribeStacksCommand({ StackName: "CDKToolkit" })).then(({ Stacks }) => (Stacks?.[0]?.StackStatus ?? "").endsWith("_COMPLETE"), () => false);

function cdk({ cli, configFile, onLine }: Deployment, cwd: string, args: readonly string[]): Promise<true> {
  const { inherited, path, root } = cli.settings;
  // Keys and endpoints of the user's own environment must not lead elsewhere.
  const kept = Object.fromEntries(Object.entries(inherited).filter(([name]) => !name.startsWith("AWS_")));
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, "node_modules", ".bin", "cdk"), [...args, "--ci"], { cwd, env: { ...kept, PATH: path, AWS_CONFIG_FILE: configFile, CI: "true", FORCE_COLOR: "0" }, stdio: ["ignore", "pipe", "pipe"] });
    const lines: string[] = [];
    const read = (chunk: Buffer) => {
      for (const line of chunk.toString("utf8").split("\n").filter((text) => text.trim() !== "")) {
        lines.push(line);
        onLine(line);
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve(true) : reject(new Problem(`cdk ${args[0]} ended with exit code ${code}\n${lines.slice(-25).join("\n")}`, "correct what it names and run the demo again: what is deployed is kept"))));
  });
}
