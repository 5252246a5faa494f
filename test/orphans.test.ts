import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { readProfile } from "../src/cli/aws/profiles.ts";
import { omx } from "../src/cli/testing/omx.ts";
import { done } from "./journey.ts";

const HANDLERS = {
  "nodejs24.x": { file: "index.mjs", handler: "index.handler", code: `import { writeFileSync } from "node:fs";
export const handler = async ({ mark }) => { writeFileSync(mark, String(process.pid)); for (;;) { console.log("still here"); await new Promise((resolve) => setTimeout(resolve, 5)); } };` },
  "python3.12": { file: "index.py", handler: "index.handler", code: `import os, time
def handler(event, context):
    with open(event["mark"], "w") as mark: mark.write(str(os.getpid()))
    while True:
        print("still here")
        time.sleep(0.005)
` },
} as const;

const isAlive = (pid: number): boolean => {
  try {
    // A zombie is dead; only nobody has looked yet.
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.[0] !== "Z";
  } catch {
    return false;
  }
};

test.runIf(existsSync("/proc/self/stat")).each(Object.entries(HANDLERS))("a function on %s does not outlive the accounts that were killed while it ran", async (runtime, { file, handler, code }) => {
  await using cli = omx();
  const { url, pid, configFile } = done(await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<{ url: string; pid: number; configFile: string }>();
  const credentials = readProfile(configFile, "cicd")?.credentials;
  const config = { region: "us-east-1", endpoint: url, ...(credentials && { credentials }) };
  const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }] };
  const { Role } = await new IAMClient(config).send(new CreateRoleCommand({ RoleName: "lonely", AssumeRolePolicyDocument: JSON.stringify(trust) }));
  const lambda = new LambdaClient(config);
  await lambda.send(new CreateFunctionCommand({ FunctionName: "lonely", Runtime: runtime as "nodejs24.x", Handler: handler, Role: Role?.Arn, Timeout: 900, Code: { ZipFile: zipSync({ [file]: Buffer.from(code) }) } }));
  const mark = join(cli.folder, "pid");
  await lambda.send(new InvokeCommand({ FunctionName: "lonely", InvocationType: "Event", Payload: JSON.stringify({ mark }) }));
  const ofFunction = () => (existsSync(mark) ? Number(readFileSync(mark, "utf8")) : 0);
  await expect.poll(ofFunction, { timeout: 120_000 }).toBeGreaterThan(0);
  process.kill(pid, "SIGKILL");
  await expect.poll(() => isAlive(ofFunction()), { timeout: 120_000 }).toBe(false);
}, 300_000);
