import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BatchGetBuildsCommand, StartBuildCommand, StopBuildCommand } from "@aws-sdk/client-codebuild";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { readProfile } from "../src/cli/aws/profiles.ts";
import { omx } from "../src/cli/testing/omx.ts";
import { codeLab } from "../src/local/codebuild/testing/code-lab.ts";
import type { TestAccounts } from "../src/local/testing/accounts.ts";
import { done } from "./journey.ts";

const HANDLERS = {
  "nodejs24.x": {
    file: "index.mjs",
    handler: "index.handler",
    code: `import { writeFileSync } from "node:fs";
export const handler = async ({ mark }) => { writeFileSync(mark, String(process.pid)); for (;;) { console.log("still here"); await new Promise((resolve) => setTimeout(resolve, 5)); } };`,
  },
  "python3.12": {
    file: "index.py",
    handler: "index.handler",
    code: `import os, time
def handler(event, context):
    with open(event["mark"], "w") as mark: mark.write(str(os.getpid()))
    while True:
        print("still here")
        time.sleep(0.005)
`,
  },
} as const;

const isAlive = (pid: number): boolean => {
  try {
    // A zombie is dead; only nobody has looked yet.
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.[0] !== "Z";
  } catch {
    return false;
  }
};

interface Started {
  readonly url: string;
  readonly pid: number;
  readonly configFile: string;
}

interface Stopped {
  readonly stopped: boolean;
  readonly left?: readonly { readonly kind: string; readonly owner: string; readonly pid: number }[];
}

const TRUST = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
};

test.runIf(existsSync("/proc/self/stat")).each(Object.entries(HANDLERS))(
  "a function on %s does not outlive the accounts that were killed while it ran",
  async (runtime, { file, handler, code }) => {
    await using cli = omx();
    const { url, pid, configFile } = done(await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<Started>();
    const credentials = readProfile(configFile, "cicd")?.credentials;
    const config = { region: "us-east-1", endpoint: url, ...(credentials && { credentials }) };
    const { Role } = await new IAMClient(config).send(
      new CreateRoleCommand({ RoleName: "lonely", AssumeRolePolicyDocument: JSON.stringify(TRUST) }),
    );
    const lambda = new LambdaClient(config);
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: "lonely",
        Runtime: runtime as "nodejs24.x",
        Handler: handler,
        Role: Role?.Arn,
        Timeout: 900,
        Code: { ZipFile: zipSync({ [file]: Buffer.from(code) }) },
      }),
    );
    const mark = join(cli.folder, "pid");
    await lambda.send(new InvokeCommand({ FunctionName: "lonely", InvocationType: "Event", Payload: JSON.stringify({ mark }) }));
    const ofFunction = () => (existsSync(mark) ? Number(readFileSync(mark, "utf8")) : 0);
    await expect.poll(ofFunction, { timeout: 120_000 }).toBeGreaterThan(0);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => isAlive(ofFunction()), { timeout: 120_000 }).toBe(false);
  },
  300_000,
);

test.runIf(existsSync("/proc/self/stat"))(
  "after a kill, stop ends what nobody can take up and names what goes on; the next start ends what was stopped; stop --all ends the rest",
  async () => {
    await using cli = omx();
    const start = async () => done(await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<Started>();
    const stop = async (...words: readonly string[]) => done(await cli.run("local", "stop", "--json", ...words)).json<Stopped>();
    const { url, pid, configFile } = await start();
    const credentials = readProfile(configFile, "cicd")?.credentials;
    const config = { region: "us-east-1", endpoint: url, ...(credentials && { credentials }) };
    const marked = (name: string) => (existsSync(join(cli.folder, name)) ? Number(readFileSync(join(cli.folder, name), "utf8")) : 0);
    const there = async (name: string) => {
      await expect.poll(() => marked(name), { timeout: 120_000 }).toBeGreaterThan(0);
      return marked(name);
    };

    const { codebuild, project } = codeLab({ config: () => config } as unknown as TestAccounts);
    const startBuild = async (name: string, before: string) => {
      await project(name, {
        version: "0.2",
        phases: { build: { commands: [`${before} echo $$ > ${join(cli.folder, name)}; while :; do sleep 1; done`] } },
      });
      return (await codebuild.send(new StartBuildCommand({ projectName: name }))).build?.id ?? "";
    };
    const goesOn = await startBuild("goes-on", "");
    const stopped = await startBuild("stopped", "trap '' TERM;");
    const { Role } = await new IAMClient(config).send(
      new CreateRoleCommand({ RoleName: "quiet", AssumeRolePolicyDocument: JSON.stringify(TRUST) }),
    );
    const lambda = new LambdaClient(config);
    const code = `import { writeFileSync } from "node:fs";
export const handler = async ({ mark }) => { writeFileSync(mark, String(process.pid)); for (;;) await new Promise((resolve) => setTimeout(resolve, 1000)); };`;
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: "quiet",
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Role: Role?.Arn,
        Timeout: 900,
        Code: { ZipFile: zipSync({ "index.mjs": Buffer.from(code) }) },
      }),
    );
    await lambda.send(
      new InvokeCommand({ FunctionName: "quiet", InvocationType: "Event", Payload: JSON.stringify({ mark: join(cli.folder, "quiet") }) }),
    );
    const [building, refusing, quiet] = [await there("goes-on"), await there("stopped"), await there("quiet")];

    // Killed while a build that does not listen is being stopped: what is stored of it says that it has ended.
    const stopping = codebuild.send(new StopBuildCommand({ id: stopped })).catch(() => undefined);
    await expect
      .poll(async () => (await codebuild.send(new BatchGetBuildsCommand({ ids: [stopped] }))).builds?.[0]?.buildStatus, { interval: 20 })
      .toBe("STOPPED");
    process.kill(pid, "SIGKILL");
    await stopping;

    const first = await stop();
    expect(first).toMatchObject({
      stopped: false,
      left: expect.arrayContaining([{ kind: "build", owner: `codebuild/${goesOn}`, pid: expect.any(Number) as number }]) as object,
    });
    expect([isAlive(quiet), isAlive(building)]).toEqual([false, true]);

    await start();
    await expect.poll(() => isAlive(refusing), { timeout: 120_000 }).toBe(false);
    expect(isAlive(building)).toBe(true);
    const second = await cli.run("local", "stop");
    expect(second.stdout).toMatch(
      /go on until the next start takes them up \(`omx local stop --all` ends them\):\n  build of codebuild\/goes-on:\S+: process \d+\n$/,
    );
    expect(await stop("--all")).toEqual({ stopped: false });
    expect(isAlive(building)).toBe(false);
  },
  300_000,
);
