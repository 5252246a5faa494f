import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { OFFLINE_IMAGES, PUBLIC_REGISTRY } from "./demo/upstream.ts";
import { omx } from "./testing/omx.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/phage-variants", import.meta.url));

test("init writes a repository that check lets through", async () => {
  await using cli = omx();
  const made = (await cli.run("init", "count-bases", "--json")).json<{ written: string[] }>();
  expect(made.written).toEqual(["omx.yaml", "main.wdl", "tests/sequences.fa", "README.md"]);
  const checked = await cli.run("check", "count-bases", "--json");
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  expect(checked.json<object>()).toMatchObject({
    ok: true,
    name: "count-bases",
    version: "1.0",
    engine: "WDL",
    tests: [{ name: "small", problems: [] }],
    diagnostics: [],
  });
});

test("what init and the demo release, the offline upstream of the demo offers", async () => {
  await using cli = omx();
  await cli.run("init", "count-bases");
  const pulled = (await Promise.all(["count-bases", EXAMPLE].map((path) => cli.run("inspect", path, "--json"))))
    .flatMap((inspected) => inspected.json<{ images: { image: string }[] }>().images.map(({ image }) => image))
    .filter((image) => image.includes("/"));
  expect(new Set(pulled)).toEqual(new Set(OFFLINE_IMAGES.map(({ repository, tag }) => `${PUBLIC_REGISTRY}/${repository}:${tag}`)));
});

test("init makes the folders that its own is in, and says which takes none", async () => {
  await using cli = omx();
  expect((await cli.run("init", "labs/first/flow", "--json")).json<{ path: string }>().path).toBe(
    join(cli.folder, "labs", "first", "flow"),
  );
  // What else takes no folder differs from system to system, and refuses by itself.
  if (process.platform === "linux")
    expect(await cli.run("init", "/proc/labs/flow")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("✗ /proc takes no folder"),
    });
});

test("init beside a workflow writes omx.yaml alone, and never over one", async () => {
  await using cli = omx();
  cpSync(EXAMPLE, join(cli.folder, "phage"), { recursive: true, filter: (file) => !file.endsWith("omx.yaml") });
  expect((await cli.run("init", "phage", "--json")).json<object>()).toMatchObject({ written: ["omx.yaml"] });
  expect((await cli.run("check", "phage")).code).toBe(0);
  const again = await cli.run("init", "phage");
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("is there already")]);
});

test("the next command is one that a shell takes, whatever the folder's name", async () => {
  await using cli = omx();
  expect((await cli.run("init", "my first")).stdout).toMatch(/omx check 'my first'$/m);
  expect((await cli.run("init", "second")).stdout).toMatch(/omx check second$/m);
});

test("inspect prints the contract's members, for a folder and for a main file", async () => {
  await using cli = omx();
  const inspected = (await cli.run("inspect", EXAMPLE, "--json")).json<Record<string, unknown>>();
  expect(inspected).toMatchObject({ path: "main.wdl", engine: "WDL", languageVersion: "1.1", main: "main.wdl", name: "phage_variants" });
  expect(Object.keys(inspected)).toEqual([
    "path",
    "engine",
    "languageVersion",
    "main",
    "name",
    "parameterTemplate",
    "parameters",
    "images",
    "unresolved",
    "diagnostics",
  ]);
  const file = await cli.run("inspect", join(EXAMPLE, "main.wdl"), "--json");
  expect(file.json<object>()).toMatchObject({ engine: "WDL", name: "phage_variants" });
});

test("an omx.yaml stands for its folder; what no engine reads is refused, and what is empty is no workflow", async () => {
  await using cli = omx();
  const file = join(EXAMPLE, "omx.yaml");
  expect((await cli.run("inspect", file, "--json")).json<object>()).toMatchObject({
    engine: "WDL",
    main: "main.wdl",
    name: "phage_variants",
  });
  expect([(await cli.run("lint", file)).code, (await cli.run("check", file)).code]).toEqual([0, 0]);
  expect((await cli.run("run", file, "--params", join(EXAMPLE, "package.json"))).stderr).toContain("package.json does not exist");
  expect((await cli.run("check", join(EXAMPLE, "main.wdl"))).stdout).toContain(
    `main.wdl is a file\n  give the folder of a workflow repository, as ${EXAMPLE}`,
  );
  for (const name of ["README.md", "blob.bin", "sheet.csv"]) {
    writeFileSync(join(cli.folder, name), "sample,reads\n");
    for (const command of ["inspect", "lint"])
      expect(await cli.run(command, name)).toMatchObject({
        code: 2,
        stdout: "",
        stderr: expect.stringContaining(`${name} is no workflow: give a folder, a ZIP, or a main file that ends in .wdl, .nf or .cwl`),
      });
  }
  expect((await cli.run("inspect", "--all", "README.md")).stderr).toContain("README.md is a file; give the folder that it is in");
  expect((await cli.run("init", "README.md")).stderr).toContain("README.md is a file; give a folder");
  for (const name of ["main.wdl", "main.nf", "main.cwl"])
    for (const [text, says] of [
      ["\n", `there is no workflow in ${name}: the file is empty`],
      ["\u007fELF\0\0", "text"],
    ] as const) {
      writeFileSync(join(cli.folder, name), text);
      for (const [command, path] of [
        ["lint", name],
        ["inspect", name],
        ["inspect", "."],
      ] as const)
        expect(await cli.run(command, path)).toMatchObject({ code: 1, stdout: expect.stringContaining(says) });
      rmSync(join(cli.folder, name));
    }
});

test("inspect --all prints one document a line", async () => {
  await using cli = omx();
  const { stdout, code } = await cli.run("inspect", "--all", EXAMPLE, "--json");
  const paths = stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { path: string }).path);
  expect([code, paths]).toEqual([0, expect.arrayContaining(["main.wdl", "sample.wdl"])]);
});

test("lint fails on an error, and says it in three formats", async () => {
  await using cli = omx();
  writeFileSync(join(cli.folder, "main.wdl"), "version 1.1\nworkflow w {\n  call missing\n}\n");
  const human = await cli.run("lint", ".");
  expect(human.code).toBe(1);
  expect(human.stdout).toMatch(/^main\.wdl:3:\d+: error: .*missing/m);
  expect((await cli.run("lint", ".", "--format", "json")).json<object[]>()).toContainEqual(
    expect.objectContaining({ severity: "error", file: "main.wdl", line: 3 }),
  );
  expect((await cli.run("lint", ".", "--format", "sarif")).json<object>()).toMatchObject({ version: "2.1.0" });
  expect((await cli.run("lint", EXAMPLE)).code).toBe(0);
});

test("check names the place of a wrong field, a missing test file and inputs that do not fit", async () => {
  await using cli = omx();
  await cli.run("init", "wf");
  const file = join(cli.folder, "wf", "omx.yaml");
  const good = readFileSync(file, "utf8");
  const checked = async (text: string) => {
    writeFileSync(file, text);
    const { code, stdout } = await cli.run("check", "wf");
    expect(code).toBe(1);
    return stdout;
  };
  expect(await checked(good.replace('version: "1.0"', 'version: "1.0.3"'))).toMatch(/omx\.yaml:4:1: version: major\.minor/);
  expect(await checked(`${good}colour: red\n`)).toMatch(/omx\.yaml:\d+:1: colour: is not known here; allowed: name, version/);
  expect(await checked(good.replace("tests/sequences.fa", "tests/none.fa"))).toContain("tests/none.fa does not exist");
  writeFileSync(join(cli.folder, "wf", "containers.lock.json"), "<<<<<<< HEAD\n");
  expect(await checked(good)).toMatch(/containers\.lock\.json:1 holds a merge that nobody has resolved\n.*`omx images lock`/);
  rmSync(join(cli.folder, "wf", "containers.lock.json"));
  expect(await checked(good.replace("data: { sequences:", "data: { sequence:"))).toMatch(/inputs do not fit[\s\S]*sequence/);
});

test.each(["omx.yaml", "parameter-template.json", "containers.lock.json"])(
  "a link of a repository shows nothing that lies outside: %s",
  async (name) => {
    await using cli = omx();
    await cli.run("init", "mine");
    writeFileSync(join(cli.folder, "secret"), "secret: [1");
    rmSync(join(cli.folder, "mine", name), { force: true });
    symlinkSync("../secret", join(cli.folder, "mine", name));
    const { code, stderr } = await cli.run("check", "mine");
    expect(stderr).not.toMatch(/secret|not JSON|sequence/);
    expect(code).toBe(name === "omx.yaml" ? 1 : 0);
  },
);

test("check names what is wrong with the Dockerfile of an image that the repository builds, and lets a right one through", async () => {
  await using cli = omx();
  await cli.run("init", "wf");
  const [file, dockerfile] = [join(cli.folder, "wf", "omx.yaml"), join(cli.folder, "wf", "tools", "Dockerfile")];
  writeFileSync(
    file,
    `${readFileSync(file, "utf8")}images: { build: [{ source: tools, target: "wf/tool:1", args: { BASE: "debian:12" } }] }\n`,
  );
  mkdirSync(join(dockerfile, ".."));
  const checked = async (text: string) => {
    writeFileSync(dockerfile, text);
    const { code, stdout } = await cli.run("check", "wf");
    return `${code} ${stdout}`;
  };
  expect(await checked("FROM scratch\n\nCOPPY a /\n")).toMatch(/^1 [^]*tools\/Dockerfile:3: "COPPY" is not an instruction/);
  expect(await checked("FROM scratch\nCOPY tools/Dockerfile /\n")).toMatch(
    /^1 [^]*tools\/Dockerfile:2: tools\/Dockerfile is not in tools, the folder that it is copied from/,
  );
  expect(await checked("ARG TAG\nFROM debian:$TAG\n")).toMatch(/^1 [^]*tools\/Dockerfile:2: "debian:" is not a valid image/);
  expect(
    await checked(
      'ARG BASE\nFROM debian AS unused\nCOPY none /\nFROM $BASE\nARG F\nCOPY --from=busybox /bin/sh /\nADD https://example.org/x *.none $F "a b" ./Dockerfile /../Dockerfile /x/\nCOPY <<EOF /y\ntext\nEOF\n',
    ),
  ).toMatch(/^0 [^]*can be released/);
});

test("workflow add edits omx.deploy.yaml, keeps its comments, and refuses a name that is there or wrong", async () => {
  await using cli = omx();
  const config = join(cli.folder, "deploy.yaml");
  writeFileSync(
    config,
    '# ours\ncicd: { account: "111122223333", region: us-east-1 }\nproduction:\n  - { account: "444455556666", region: us-east-1 } # the hospital\nworkflows:\n  one: { branch: main }\n',
  );
  const added = await cli.run("workflow", "add", "two", "--branch", "release", "--no-deploy", "--config", config, "--json");
  expect([added.code, added.json<object>()]).toEqual([0, { name: "two", config, deployed: false }]);
  const text = readFileSync(config, "utf8");
  expect(text).toContain("# ours");
  expect(text).toContain("# the hospital");
  const listed = (await cli.run("workflow", "list", "--config", config, "--json")).json<{ workflows: object[] }>();
  expect(listed.workflows).toContainEqual({ name: "two", source: "codecommit", repository: "two", branch: "release", pipeline: "omx-two" });
  expect((await cli.run("workflow", "add", "two", "--no-deploy", "--config", config)).code).toBe(1);
  expect((await cli.run("workflow", "add", "Two", "--no-deploy", "--config", config)).code).toBe(2);
  const unknown = await cli.run("workflow", "add", "three", "--config", config);
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("no AWS identity is chosen")]);
  expect(readFileSync(config, "utf8")).toBe(text);
  writeFileSync(config, `${text}containers:\n  namespaces:\n    index.docker.io: hub\n`);
  for (const command of [["add", "three", "--no-deploy"], ["list"]]) {
    const { code, stderr } = await cli.run("workflow", ...command, "--config", config);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(
        "deploy.yaml:10:5: containers.namespaces.index.docker.io: index.docker.io is another name of docker.io; write docker.io",
      ),
    ]);
  }
});

test("what is wrong in omx.deploy.yaml is wrong usage, told with its place before anybody signs in", async () => {
  await using cli = omx();
  const config = join(cli.folder, "deploy.yaml");
  writeFileSync(
    config,
    'cicd: { account: "111122223333", region: mars }\nproduction:\n  - { account: "444455556666", region: us-gov-west-1 }\n',
  );
  for (const command of [["deploy"], ["workflow", "list"], ["workflow", "add", "one"]])
    expect(await cli.run(...command, "--config", config)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(
        /deploy\.yaml:1:34: cicd\.region: a region looks like us-east-1\n.*deploy\.yaml:3:32: production\.0\.region: HealthOmics is in/,
      ),
    });
});
