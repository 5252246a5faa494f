import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAccounts, type TestAccounts } from "../../src/local/testing/accounts.ts";

export type Profile = "cicd" | "production" | "developer" | "approver";

/** The AWS CLI: OMX_AWS_CLI, or what PATH has; undefined where there is none. */
export const awsCli = [process.env["OMX_AWS_CLI"], "aws"].find(
  (program) => program && spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0,
);

/** The same of version 2, which alone has `logs tail`: OMX_AWS_CLI_2, or one of the above where it is of version 2. */
export const awsCli2 = [process.env["OMX_AWS_CLI_2"], awsCli].find(
  (program) => program && spawnSync(program, ["--version"], { encoding: "utf8" }).stdout?.startsWith("aws-cli/2"),
);

/** Each command is a Python of its own that costs half a second of a core: many at once on a busy machine take a while. */
export const PATIENCE_MS = 300_000;

/** What a program came to, whatever its exit code. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Local accounts, and the programs of a user in a shell where AWS_CONFIG_FILE is the only thing set. */
export interface Shell extends AsyncDisposable {
  readonly accounts: TestAccounts;
  /** A folder for the files of the test; programs start in it. */
  readonly folder: string;
  /** Writes a file of the folder and returns its path. */
  file(name: string, content: string | Uint8Array): string;
  run(program: string, args: readonly string[], stdin?: string): Promise<Finished>;
  /** As `run`, and throws with what the program said when it fails. */
  must(program: string, args: readonly string[], stdin?: string): Promise<string>;
  /** `aws --profile PROFILE WORDS…`: its standard output. */
  text(profile: Profile, ...words: readonly string[]): Promise<string>;
  /** The same, read as JSON; an empty object where the command prints nothing. */
  aws<T = Record<string, unknown>>(profile: Profile, ...words: readonly string[]): Promise<T>;
  /** The same where it must be refused: what it says. */
  refused(profile: Profile, ...words: readonly string[]): Promise<string>;
}

export async function openShell(): Promise<Shell> {
  const accounts = await startAccounts();
  const folder = mkdtempSync(join(tmpdir(), "omx-clients-"));
  const env = { PATH: process.env["PATH"], HOME: folder, AWS_CONFIG_FILE: accounts.configFile };
  const run = (program: string, args: readonly string[], stdin = "") => finished(spawn(program, args, { cwd: folder, env }), stdin);
  const must = async (program: string, args: readonly string[], stdin?: string) => {
    const { code, stdout, stderr } = await run(program, args, stdin);
    if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  };
  const text = (profile: Profile, ...words: readonly string[]) => must(awsCli ?? "aws", ["--profile", profile, ...words]);
  return {
    accounts,
    folder,
    run,
    must,
    text,
    file(name, content) {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    },
    aws: async <T>(profile: Profile, ...words: readonly string[]) => JSON.parse((await text(profile, ...words)) || "{}") as T,
    async refused(profile, ...words) {
      const { code, stdout, stderr } = await run(awsCli ?? "aws", ["--profile", profile, ...words]);
      if (code === 0) throw new Error(`aws ${words.join(" ")} was not refused: ${stdout}`);
      return stderr;
    },
    async [Symbol.asyncDispose]() {
      await accounts[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function finished(child: ReturnType<typeof spawn>, stdin: string): Promise<Finished> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  child.stdin?.on("error", () => undefined); // the program did not read it
  child.stdin?.end(stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** A role of the first account that the service takes and that may do these things. Returns its ARN. */
export async function roleFor(
  shell: Shell,
  service: string,
  { name, actions }: { readonly name: string; readonly actions: readonly string[] },
): Promise<string> {
  const policy = (statement: object): string => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const trust = policy({ Effect: "Allow", Principal: { Service: `${service}.amazonaws.com` }, Action: "sts:AssumeRole" });
  const { Role } = await shell.aws<{ Role: { Arn: string } }>(
    "cicd",
    "iam",
    "create-role",
    "--role-name",
    name,
    "--assume-role-policy-document",
    trust,
  );
  await shell.aws(
    "cicd",
    "iam",
    "put-role-policy",
    "--role-name",
    name,
    "--policy-name",
    "own",
    "--policy-document",
    policy({ Effect: "Allow", Action: actions, Resource: "*" }),
  );
  return Role.Arn;
}

/** Asks again until the answer is the one waited for, as a user would with `watch`; the test's own time limit ends it. */
export async function until<T>(ask: () => Promise<T>, isThere: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isThere(answer)) return answer;
  }
}
