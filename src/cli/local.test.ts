import { createServer } from "node:net";
import { once } from "node:events";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, test } from "vitest";
import { startTimeOf } from "./accounts/data-dir.ts";
import { codeLab } from "../local/codebuild/testing/code-lab.ts";
import { omx } from "./testing/omx.ts";

interface Started {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  readonly configFile: string;
  readonly accounts: readonly { readonly id: string; readonly name: string; readonly profile: string }[];
}

test("start --detach prints where the accounts answer, and they do; stop waits until they are gone", async () => {
  await using cli = omx();
  const started = (await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<Started>();
  expect(started).toMatchObject({
    url: `http://127.0.0.1:${started.port}`,
    dataDir: cli.dataDir,
    configFile: join(cli.dataDir, "aws-config"),
  });
  expect(Object.keys(started).sort()).toEqual(["accounts", "configFile", "dataDir", "pid", "port", "url"]);
  expect(started.accounts).toContainEqual({ id: "444455556666", name: "production", profile: "production" });
  expect(started.accounts.map(({ profile }) => profile)).toEqual(["cicd", "production", "developer", "approver"]);

  const status = await cli.run("local", "status", "--json");
  expect([status.code, status.json<object>()]).toEqual([0, { running: true, ...started }]);

  expect((await cli.run("local", "stop", "--json")).json<object>()).toEqual({ stopped: true, pid: started.pid });
  expect(startTimeOf(started.pid)).toBeUndefined();
  const after = await cli.run("local", "status", "--json");
  expect([after.code, after.json<object>()]).toEqual([1, { running: false, dataDir: cli.dataDir }]);
});

test("nobody else of the machine reads the data folder, which holds keys and secrets, be it made by start or there before", async () => {
  await using cli = omx();
  const before = join(cli.folder, "before");
  mkdirSync(before, { mode: 0o755 });
  for (const data of [cli.dataDir, before]) {
    expect((await cli.run("local", "start", "--detach", "--port", "0", "--data", data)).code).toBe(0);
    expect((statSync(data).mode & 0o777).toString(8)).toBe("700");
    await cli.run("local", "stop", "--data", data);
  }
});

test("a data folder where everybody may write stays everybody's", async () => {
  await using cli = omx();
  const shared = join(cli.folder, "shared");
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  expect((await cli.run("local", "start", "--detach", "--port", "0", "--data", shared)).code).toBe(0);
  expect((statSync(shared).mode & 0o1777).toString(8)).toBe("1777");
  await cli.run("local", "stop", "--data", shared);
});

test("a second start on the same data says so, and starts nothing", async () => {
  await using cli = omx();
  const { url } = (await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<Started>();
  for (const extra of [[], ["--detach"]]) {
    const second = await cli.run("local", "start", "--port", "0", "--json", ...extra);
    expect(second).toMatchObject({ code: 1, stdout: "" });
    expect(second.stderr).toContain(`run already: ${url}`);
    expect(second.stderr).toContain("omx local stop");
  }
});

test("a port in use is named, in the foreground and in the background", async () => {
  await using cli = omx();
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const port = String((other.address() as AddressInfo).port);
  for (const extra of [[], ["--detach"]]) {
    const refused = await cli.run("local", "start", "--port", port, ...extra);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(`port ${port} is in use`);
    expect(refused.stderr).toContain("--port");
  }
  other.close();
});

test("a process killed outright is no longer running, and the next start goes on with its state", async () => {
  await using cli = omx();
  const first = (await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<Started>();
  const keys = readFileSync(first.configFile, "utf8").match(/aws_secret_access_key = .*/g);
  process.kill(first.pid, "SIGKILL");
  expect((await cli.run("local", "status")).code).toBe(1);
  const again = (await cli.run("local", "start", "--detach", "--port", String(first.port), "--json")).json<Started>();
  expect(again).toMatchObject({ url: first.url });
  expect(readFileSync(again.configFile, "utf8").match(/aws_secret_access_key = .*/g)).toEqual(keys);
});

test("options of a start are remembered for the next, until reset deletes all state", async () => {
  await using cli = omx();
  await cli.run("local", "start", "--detach", "--port", "0", "--account", "999988887777=lab", "--json");
  await cli.run("local", "stop");
  const again = (await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<Started>();
  expect(again.accounts[0]).toEqual({ id: "999988887777", name: "lab", profile: "lab" });
  expect((await cli.run("local", "reset", "--json")).json<object>()).toEqual({ reset: true, dataDir: cli.dataDir });
  expect(existsSync(join(cli.dataDir, "state.sqlite"))).toBe(false);
  expect(startTimeOf(again.pid)).toBeUndefined();
  const fresh = (await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<Started>();
  expect(fresh.accounts[0]?.id).toBe("111122223333");
});

test("reset refuses a folder that is not of local accounts", async () => {
  await using cli = omx();
  const folder = join(cli.folder, "precious");
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), "kept");
  const refused = await cli.run("local", "reset", "--data", folder);
  expect(refused.code).toBe(1);
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("kept");
});

/** A folder with a docker that says how it was called. */
function fakeDocker(folder: string): string {
  writeFileSync(join(folder, "docker"), '#!/bin/sh\necho "$*"\n', { mode: 0o755 });
  return folder;
}

test("start says how to stop these accounts, not others", async () => {
  await using cli = omx();
  const elsewhere = join(cli.folder, "elsewhere");
  for (const [data, stop] of [
    [[], ""],
    [["--data", elsewhere], ` --data ${elsewhere}`],
  ] as const) {
    const { stdout } = await cli.run("local", "start", "--detach", "--port", "0", ...data);
    await cli.run("local", "stop", ...data);
    expect(stdout).toContain(`Stop them: omx local stop${stop}\n`);
  }
});

test("env names the config file, with which a client of AWS is who it says", async () => {
  await using cli = omx();
  expect((await cli.run("local", "env")).stderr).toContain("omx local start");
  const { url } = (await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<Started>();
  expect(await cli.run("local", "env", "--profile", "nobody")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("no identity nobody"),
  });
  const shell = await cli.run("local", "env", "--profile", "developer", "--node");
  expect(shell.stdout).toContain(`export AWS_CONFIG_FILE=${join(cli.dataDir, "aws-config")}\n`);
  expect(shell.stdout).toContain("export AWS_PROFILE=developer\n");
  expect(shell.stdout).toMatch(/export NODE_OPTIONS='--require .*disable-host-prefix\.cjs/);
  const { export: variables } = (await cli.run("local", "env", "--json")).json<{ export: Record<string, string> }>();
  // How the CDK calls it; a docker of nobody's need not be there.
  const docker = spawnSync(variables["CDK_DOCKER"]!, ["push", "111122223333.dkr.ecr.us-east-1.amazonaws.com/assets:1"], {
    encoding: "utf8",
    env: { PATH: `${fakeDocker(cli.folder)}:${process.env["PATH"]}` },
  });
  expect(docker.stdout).toBe(`push ${new URL(url).host}/111122223333/us-east-1/assets:1\n`);
  const text = readFileSync(variables["AWS_CONFIG_FILE"]!, "utf8");
  const [, accessKeyId = "", secretAccessKey = ""] =
    /\[profile developer\][^[]*?aws_access_key_id = (\S+)\naws_secret_access_key = (\S+)/.exec(text) ?? [];
  const sts = new STSClient({ endpoint: url, region: "us-east-1", credentials: { accessKeyId, secretAccessKey } });
  expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: "111122223333",
    Arn: "arn:aws:iam::111122223333:user/developer",
  });
});

test("runs and builds reach the container engine that the user's environment names", async () => {
  await using cli = omx({ DOCKER_HOST: "unix:///somewhere/docker.sock" });
  const { url, configFile } = (await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<Started>();
  const [, accessKeyId = "", secretAccessKey = ""] =
    /\[profile cicd\][^[]*?aws_access_key_id = (\S+)\naws_secret_access_key = (\S+)/.exec(readFileSync(configFile, "utf8")) ?? [];
  const lab = codeLab({
    config: () => ({
      endpoint: url,
      region: "us-east-1",
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
      disableHostPrefix: true,
      maxAttempts: 1,
    }),
  });
  await lab.project("engine", { version: "0.2", phases: { build: { commands: ['echo "> $DOCKER_HOST"'] } } });
  expect((await lab.linesOf(await lab.build("engine"))).map((line) => line.trim())).toContain("> unix:///somewhere/docker.sock");
});

test("git-credential answers git's get with the identity's key, and nothing to store", async () => {
  await using cli = omx();
  await cli.run("local", "start", "--detach", "--port", "0", "--json");
  const asked = "protocol=http\nhost=127.0.0.1:4577\npath=v1/repos/wf\n\n";
  expect((await cli.given(asked, "local", "git-credential", "get", "--profile", "developer")).stdout).toMatch(
    /^username=AKIA\w{16}\npassword=\d{8}T\d{6}Z[0-9a-f]{64}\n$/,
  );
  expect(await cli.given(asked, "local", "git-credential", "store", "--profile", "developer")).toMatchObject({ code: 0, stdout: "" });
  const nobody = await cli.given(asked, "local", "git-credential", "get", "--profile", "nobody");
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("no identity nobody")]);
});
