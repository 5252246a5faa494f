import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cliAt } from "./testing/in-process.ts";
import { omx } from "./testing/omx.ts";

test("wrong usage exits 2 with the manual's name, nothing on stdout", async () => {
  await using cli = omx();
  for (const args of [
    ["frob"],
    ["inspect"],
    ["local", "frob"],
    ["local", "start", "--port", "99999"],
    ["lint", ".", "--format", "xml"],
    ["images", "pull"],
    ["release", "status"],
    ["publish"],
    ["init", "--name", "Not A Name", "x"],
  ]) {
    const { code, stdout, stderr } = await cli.run(...args);
    expect([args, code, stdout]).toEqual([args, 2, ""]);
    expect(stderr).toContain("omx help");
  }
});

test("every command has a manual", async () => {
  await using cli = omx();
  expect((await cli.run("help", "images", "plan")).stdout).toContain("Usage: omx images plan");
  const { stdout, code } = await cli.run("--help");
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name).filter((name) => name !== "help");
  expect([code, commands]).toEqual([
    0,
    expect.arrayContaining([
      "init",
      "check",
      "inspect",
      "lint",
      "local",
      "run",
      "publish",
      "images",
      "deploy",
      "workflow",
      "release",
      "doctor",
    ]),
  ]);
  for (const name of commands) expect((await cli.run(name, "--help")).stdout).toContain(`Usage: omx ${name}`);
});

test("the manual of a misspelt command is not that of all commands: it says what may have been meant", async () => {
  await using cli = omx();
  expect(await cli.run("help", "imagse")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/unknown command 'imagse'\n\(Did you mean images\?\)/),
  });
  expect(await cli.run("help", "images", "pul")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("Did you mean pull?"),
  });
  expect((await cli.run("help")).stdout).toContain("Usage: omx [options] [command]");
  expect((await cli.run("help", "init", "hello")).stdout).toContain("Usage: omx init");
});

test("wrong usage names the manual of its command", async () => {
  await using cli = omx();
  expect((await cli.run("images", "pull")).stderr).toContain("`omx help images pull` is the manual");
});

test("what is no region is refused wherever one is named; one that nobody has heard of is one", async () => {
  await using cli = omx();
  for (const command of [
    ["images", "list"],
    ["release", "status", "wf"],
    ["publish", "."],
    ["run", ".", "--params", "p.json"],
    ["local", "start"],
    ["console"],
  ])
    expect(await cli.run(...command, "--region", "mars")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("'mars' is invalid. a region looks like us-east-1."),
    });
  expect(await cli.run("images", "list", "--region", "xy-northsouth-12")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no AWS identity is chosen"),
  });
  mkdirSync(join(cli.folder, ".aws"));
  writeFileSync(join(cli.folder, ".aws", "config"), "[profile far]\nregion = mars\n");
  expect(await cli.run("images", "list", "--profile", "far")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`the profile's region is "mars"; a region looks like us-east-1`),
  });
});

test("a folder for a file, an address or a role that is none: told before anything is made", async () => {
  await using cli = omx();
  await cli.run("init", "wf");
  const folder = join(cli.folder, "wf");
  for (const args of [
    ["run", folder, "--params", folder],
    ["publish", folder, "--registry-map", folder],
    ["publish", folder, "--readme", folder],
    ["images", "plan", "--manifest", folder],
  ])
    expect(await cli.run(...args)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(`${folder} is a folder; give a file`),
    });
  expect((await cli.run("workflow", "list", "--config", folder)).stderr).toContain(`${folder} is a folder; give the file`);
  expect((await cli.run("publish", folder, "--registry-map", "none.json")).stderr).toContain("none.json does not exist\n  check the path");
  for (const [option, value, says] of [
    ["--output", "results", "an S3 URI looks like s3://bucket/key"],
    ["--role", "OmicsRole", "a role's ARN looks like arn:aws:iam::111122223333:role/name"],
  ] as const)
    expect(await cli.run("run", folder, "--params", "p.json", option, value)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(says),
    });
  expect(await cli.run("publish", "--definition-uri", "definition.zip", "--name", "wf")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("an S3 URI looks like"),
  });
  expect(await cli.run("publish", "--definition-uri", "s3://bucket/d.zip", "--name", "wf")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("give --version-name: without PATH"),
  });
  for (const name of ["", "-1", "1 0", "1".repeat(65)])
    expect(await cli.run("publish", folder, "--version-name", name)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("a version's name has 1 to 64 letters"),
    });
});

test("a platform that is none is refused, and all is offered where it is taken", async () => {
  await using cli = omx();
  const of = async (...words: readonly string[]) => (await cli.run("images", ...words, "--platform", "amd64")).stderr;
  expect(await of("pull", "debian:12")).toContain('"amd64" is not a platform: write it as linux/amd64 or linux/arm64/v8, or all.');
  expect(await of("build", ".", "tool:1")).toContain('"amd64" is not a platform: write it as linux/amd64 or linux/arm64/v8.');
});

test("run refuses a path where there is no file before anything is made of it", async () => {
  await using cli = omx();
  await cli.run("init", "counted");
  const inputs = join(cli.folder, "inputs.json");
  writeFileSync(inputs, '{"sequences": "tests/sequences.fa"}');
  const wrong = await cli.run("run", "counted", "--params", inputs);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining(`sequences: ${join(cli.folder, "tests", "sequences.fa")}`)]);
  for (const right of ["counted/tests/sequences.fa", "s3://bucket/sequences.fa"]) {
    writeFileSync(inputs, JSON.stringify({ sequences: right }));
    expect((await cli.run("run", "counted", "--params", inputs)).stderr).toContain("no AWS identity is chosen");
  }
});

test("a manual is as wide as the terminal, and no wider than 120 characters", async () => {
  const widest = async (columns?: number): Promise<number> => {
    using cli = cliAt({ configFile: "/nowhere/aws-config" }, columns === undefined ? {} : { columns });
    const { stdout } = await cli.run("images", "pull", "--help");
    return Math.max(
      ...stdout
        .split("\n\nExit code")[0]!
        .split("\n")
        .map((line) => line.length),
    );
  };
  expect(await widest(80)).toBeLessThanOrEqual(80);
  const [usual, wide] = [await widest(), await widest(300)];
  expect([usual, wide]).toEqual([wide, usual]);
  expect(usual).toBeLessThanOrEqual(120);
});
