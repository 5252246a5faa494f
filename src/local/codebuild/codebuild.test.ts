import { BatchGetBuildsCommand, type Build, RetryBuildCommand, StartBuildCommand, StopBuildCommand } from "@aws-sdk/client-codebuild";
import { CodeCommitClient, CreateCommitCommand, CreateRepositoryCommand } from "@aws-sdk/client-codecommit";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { unzipSync } from "fflate";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { type CodeLab, codeLab, until } from "./testing/code-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let accounts: TestAccounts;
let lab: CodeLab;
beforeAll(async () => {
  accounts = await startAccounts();
  lab = codeLab(accounts);
});
afterAll(() => accounts[Symbol.asyncDispose]());

let made = 0;
/** A build of a new project with this buildspec. */
async function built(
  spec: object | string,
  more: Parameters<CodeLab["project"]>[2] = {},
): Promise<Build & { readonly lines: readonly string[]; readonly said: readonly string[] }> {
  const name = `project-${++made}`;
  await lab.project(name, spec, more);
  const build = await lab.build(name);
  const lines = (await lab.linesOf(build)).map((line) => line.trimEnd());
  return { ...build, lines, said: lines.filter((line) => line.startsWith("> ")).map((line) => line.slice(2)) };
}

const spec = (phases: object, more: object = {}) => ({ version: "0.2", phases, ...more });
const phasesOf = ({ phases = [] }: Build) => Object.fromEntries(phases.map(({ phaseType, phaseStatus }) => [phaseType!, phaseStatus]));
const contextOf = ({ phases = [] }: Build) => phases.find(({ contexts }) => contexts?.[0]?.statusCode)?.contexts?.[0];

describe("phases", () => {
  test("run in one shell, whose variables and folder survive", async () => {
    const build = await built(
      spec({ install: { commands: ["export A=1 B=2", "mkdir -p deep && cd deep"] }, build: { commands: ['echo "> $A $B ${PWD##*/}"'] } }),
    );
    expect(build).toMatchObject({ buildStatus: "SUCCEEDED", said: ["1 2 deep"] });
    expect(phasesOf(build)).toEqual({
      SUBMITTED: "SUCCEEDED",
      QUEUED: "SUCCEEDED",
      DOWNLOAD_SOURCE: "SUCCEEDED",
      INSTALL: "SUCCEEDED",
      BUILD: "SUCCEEDED",
      UPLOAD_ARTIFACTS: "SUCCEEDED",
      COMPLETED: undefined,
    });
  });

  test("of 0.1 have a shell for each command", async () => {
    const { said } = await built({ version: "0.1", phases: { build: { commands: ["A=1; cd /", 'echo "> ${A:-none} ${PWD##*/}"'] } } });
    expect(said).toEqual(["none src"]);
  });

  const SUCCEEDING = 'echo "> $CODEBUILD_BUILD_SUCCEEDING"';

  test("a failed build is followed by its finally and post_build, which are told", async () => {
    const build = await built(
      spec({
        pre_build: { commands: [SUCCEEDING] },
        build: { commands: ["false", "echo '> not reached'"], finally: [SUCCEEDING] },
        post_build: { commands: [SUCCEEDING] },
      }),
    );
    expect(build.said).toEqual(["1", "0", "0"]);
    expect(build.buildStatus).toBe("FAILED");
    expect(phasesOf(build)).toMatchObject({
      PRE_BUILD: "SUCCEEDED",
      BUILD: "FAILED",
      POST_BUILD: "SUCCEEDED",
      UPLOAD_ARTIFACTS: "SUCCEEDED",
    });
    expect(contextOf(build)).toEqual({
      statusCode: "COMMAND_EXECUTION_ERROR",
      message: "Error while executing command: false. Reason: exit status 1",
    });
  });

  test("a failed pre_build ends the build after its finally", async () => {
    const build = await built(
      spec({
        pre_build: { commands: ["(exit 7)"], finally: ["echo '> cleaned'"] },
        build: { commands: ["echo '> not reached'"] },
        post_build: { commands: ["echo '> not reached'"] },
      }),
    );
    expect(build.said).toEqual(["cleaned"]);
    expect(phasesOf(build)).not.toHaveProperty("UPLOAD_ARTIFACTS");
    expect(contextOf(build)?.message).toContain("exit status 7");
  });

  test("on-failure: CONTINUE goes on, ABORT keeps post_build from running", async () => {
    const [continued, aborted] = await Promise.all([
      built(spec({ install: { "on-failure": "CONTINUE", commands: ["false"] }, build: { commands: [SUCCEEDING] } })),
      built(spec({ build: { "on-failure": "ABORT", commands: ["false"] }, post_build: { commands: ["echo '> not reached'"] } })),
    ]);
    expect(continued).toMatchObject({ buildStatus: "FAILED", said: ["0"] });
    expect(aborted).toMatchObject({ buildStatus: "FAILED", said: [] });
  });

  test("a command that leaves the shell ends its phase with its exit status", async () => {
    expect(contextOf(await built(spec({ build: { commands: ["exit 3"] } })))?.message).toContain("exit status 3");
  });
});

describe("env", () => {
  test("the shell is sh, and bash where it is asked for", async () => {
    const command = 'echo "> ${BASH_VERSION:+bash}"';
    const [sh, bash, amazon] = await Promise.all([
      built(spec({ build: { commands: [command] } })),
      built(spec({ build: { commands: [command, "[[ a == a ]]"] } }, { env: { shell: "bash" } })),
      built(spec({ build: { commands: [command] } }), {
        environment: {
          type: "LINUX_CONTAINER",
          image: "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
          computeType: "BUILD_GENERAL1_SMALL",
        },
      }),
    ]);
    expect([bash.said, amazon.said]).toEqual([["bash"], ["bash"]]);
    expect(sh.buildStatus).toBe("SUCCEEDED");
    expect((await built(spec({ build: { commands: ["true"] } }, { env: { shell: "powershell.exe" } }))).buildStatus).toBe("FAILED");
  });

  test("parameters of SSM and secrets become variables, as the project's role may read them, and no log shows them", async () => {
    const ssm = new SSMClient(accounts.config());
    await ssm.send(new PutParameterCommand({ Name: "/lab/secret", Value: "sealed", Type: "SecureString" }));
    await new SecretsManagerClient(accounts.config()).send(
      new CreateSecretCommand({
        Name: "lab/hub",
        SecretString: JSON.stringify({ username: "ada", password: "lace", key: "first line\nsecond line" }),
      }),
    );
    const env = {
      "parameter-store": { SECRET: "/lab/secret" },
      "secrets-manager": { WHO: "lab/hub:username", LINES_OF: "lab/hub:key" },
      variables: { PLAIN: "from the buildspec", OTHER: "other" },
    };
    const environment = {
      type: "LINUX_CONTAINER" as const,
      image: "any",
      computeType: "BUILD_GENERAL1_SMALL" as const,
      environmentVariables: [
        { name: "PLAIN", value: "from the project" },
        { name: "ALSO", value: "/lab/secret", type: "PARAMETER_STORE" as const },
      ],
    };
    const phases = {
      build: {
        commands: [
          'echo "> $SECRET, $ALSO, $PLAIN, $OTHER, $WHO"',
          'echo "> $(echo "$SECRET $WHO" | sed "s/./&_/g")"',
          'echo "> $AWS_ACCESS_KEY_ID unsealed"',
          'echo "> $LINES_OF"',
        ],
      },
    };
    const [allowed, denied] = await Promise.all([
      built(spec(phases, { env }), { environment, actions: ["ssm:GetParameter", "kms:Decrypt", "secretsmanager:GetSecretValue"] }),
      built(spec(phases, { env })),
    ]);
    expect(allowed.said).toEqual(["***, ***, from the project, other, ***", "s_e_a_l_e_d_ _a_d_a_", "*** un***", "***"]);
    expect(allowed.lines.filter((line) => /sealed|\bada\b|(?:first|second) line|A[KS]IA[A-Z0-9]{16}/.test(line))).toEqual([]);
    expect(denied).toMatchObject({ buildStatus: "FAILED", said: [] });
    expect(contextOf(denied)?.message).toMatch(
      /variable (SECRET: parameter|WHO: secret) \S+ can't be read: .*(ssm:GetParameter|secretsmanager:GetSecretValue)/,
    );
  });

  test("nothing secret is left of a build that has ended: neither what the log hides nor a login in its home", async () => {
    await new SecretsManagerClient(accounts.config()).send(
      new CreateSecretCommand({ Name: "left-behind", SecretString: "never-to-be-found" }),
    );
    const phases = { build: { commands: ['mkdir "$HOME/.docker" && echo "$KEPT" > "$HOME/.docker/config.json"'] } };
    const { id = "", buildStatus } = await built(spec(phases, { env: { "secrets-manager": { KEPT: "left-behind" } } }), {
      actions: ["secretsmanager:GetSecretValue"],
    });
    expect(buildStatus).toBe("SUCCEEDED");
    const folder = join(dirname(accounts.configFile), "work/codebuild", id.replace(":", "-"));
    const secrets = () =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
        (entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name), "utf8").includes("never-to-be-found"),
      );
    expect(existsSync(join(folder, "build.log"))).toBe(true);
    await expect.poll(secrets, { timeout: 60_000 }).toEqual([]);
  });

  test("the machine's Docker is reached as its user reaches it, and without the user's logins", async () => {
    const docker = join(dirname(accounts.configFile), ".docker");
    const context = join(docker, "contexts", "meta", createHash("sha256").update("mine").digest("hex"));
    mkdirSync(context, { recursive: true });
    writeFileSync(
      join(context, "meta.json"),
      JSON.stringify({ Name: "mine", Metadata: {}, Endpoints: { docker: { Host: "unix:///somewhere/docker.sock" } } }),
    );
    writeFileSync(
      join(docker, "config.json"),
      JSON.stringify({ currentContext: "mine", auths: { "quay.io": { auth: "bm9ib2R5OnNlY3JldA==" } } }),
    );
    mkdirSync(join(docker, "cli-plugins"));
    writeFileSync(join(docker, "cli-plugins", "docker-mine"), "");
    const { said } = await built(
      spec({
        build: {
          commands: [
            'echo "> $(cat ~/.docker/contexts/meta/*/meta.json)"',
            'echo "> $(cat ~/.docker/config.json) $(ls ~/.docker/cli-plugins)"',
          ],
        },
      }),
    );
    expect(said).toEqual([expect.stringContaining("unix:///somewhere/docker.sock"), '{"currentContext":"mine"} docker-mine']);
    rmSync(docker, { recursive: true });
  });

  test.skipIf(process.platform !== "linux")("no process is left of a build that has ended", async () => {
    const { exportedEnvironmentVariables } = await built(
      spec({ build: { commands: ["sleep 900 > /dev/null 2>&1 &", "export LEFT=$!"] } }, { env: { "exported-variables": ["LEFT"] } }),
    );
    const pid = exportedEnvironmentVariables?.[0]?.value ?? "none";
    expect(pid).toMatch(/^\d+$/);
    await expect
      .poll(() => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("900"), { timeout: 60_000 })
      .toBe(false);
  });

  test("exported variables are told as they are at the end", async () => {
    const { exportedEnvironmentVariables } = await built(
      spec(
        { build: { commands: ["export NAME='a b'", "TEXT=\"two\nlines 'quoted' \\\\\""] } },
        { env: { "exported-variables": ["NAME", "TEXT", "UNSET"] } },
      ),
    );
    expect(exportedEnvironmentVariables).toEqual([
      { name: "NAME", value: "a b" },
      { name: "TEXT", value: "two\nlines 'quoted' \\" },
      { name: "UNSET", value: "" },
    ]);
  });

  test.each([
    [
      "secrets that are not there",
      { env: { "secrets-manager": { PASSWORD: "prod/db:password" } } },
      /variable PASSWORD: secret prod\/db:password can't be read/,
    ],
    ["another user", { "run-as": "nobody-we-know" }, /wants to run as nobody-we-know/],
    ["a retry", { phases: { build: { "on-failure": "RETRY-2", commands: ["true"] } } }, /on-failure RETRY-2 is not there/],
    ["a phase's unknown key", { phases: { build: { command: ["true"] } } }, /phase build has command/],
    ["an unknown version", { version: "0.3" }, /version 0\.3 is not known/],
  ])("%s fail the build by name before it begins", async (_name, more, message) => {
    const build = await built({ ...spec({ build: { commands: ["true"] } }), ...more });
    expect(build.buildStatus).toBe("FAILED");
    expect(contextOf(build)?.message).toMatch(message);
    expect(phasesOf(build)).not.toHaveProperty("BUILD");
  });

  test("the user of the local accounts may be named; what has no effect is said", async () => {
    const { buildStatus, lines } = await built({
      ...spec({ build: { commands: ["true"] } }),
      "run-as": userInfo().username,
      cache: { paths: ["x"] },
      reports: {},
    });
    expect(buildStatus).toBe("SUCCEEDED");
    expect(lines.filter((line) => line.includes("has no effect")).map((line) => line.split(" ")[1])).toEqual(["cache", "reports"]);
  });

  test("Git clones from CodeCommit's own address, where the buildspec asks for its credentials", async () => {
    const codecommit = new CodeCommitClient(accounts.config());
    await codecommit.send(new CreateRepositoryCommand({ repositoryName: "flow" }));
    await codecommit.send(
      new CreateCommitCommand({
        repositoryName: "flow",
        branchName: "main",
        putFiles: [{ filePath: "main.wdl", fileContent: Buffer.from("version 1.1\n") }],
      }),
    );
    const phases = {
      build: {
        commands: [
          "export GIT_TERMINAL_PROMPT=0",
          "git clone --quiet https://git-codecommit.us-east-1.amazonaws.com/v1/repos/flow",
          'echo "> $(cat flow/main.wdl)"',
        ],
      },
    };
    const [asked, silent, denied] = await Promise.all([
      built(spec(phases, { env: { "git-credential-helper": "yes" } }), { actions: ["codecommit:GitPull"] }),
      built(spec(phases), { actions: ["codecommit:GitPull"] }),
      built(spec(phases, { env: { "git-credential-helper": true } })),
    ]);
    expect([asked.said, silent.buildStatus, denied.buildStatus]).toEqual([["version 1.1"], "FAILED", "FAILED"]);
  });

  test("a program that uses the JavaScript SDK reaches HealthOmics, label before the host or not", async () => {
    const code = `import("${import.meta.resolve("@aws-sdk/client-omics")}").then(async ({ OmicsClient, ListWorkflowsCommand }) => console.log("> " + (await new OmicsClient({}).send(new ListWorkflowsCommand({}))).items.length))`;
    expect((await built(spec({ build: { commands: [`node -e '${code}'`] } }), { actions: ["omics:ListWorkflows"] })).said).toEqual(["0"]);
  });
});

describe("artifacts", () => {
  const ARTIFACTS = { files: ["**/*"], "exclude-paths": ["**/*.tmp"], "base-directory": "out", name: "named" };
  const phases = { build: { commands: ["mkdir -p out/deep", "echo a > out/a.txt", "echo b > out/deep/b.txt", "echo c > out/c.tmp"] } };
  const keys = async (Prefix: string) =>
    (await lab.s3.send(new ListObjectsV2Command({ Bucket: "artifacts", Prefix }))).Contents?.map(({ Key }) => Key) ?? [];
  beforeAll(() => lab.s3.send(new CreateBucketCommand({ Bucket: "artifacts" })));

  test("go to S3 as files, or as one ZIP", async () => {
    const place = { type: "S3" as const, location: "artifacts" };
    const [files] = await Promise.all([
      built(spec(phases, { artifacts: ARTIFACTS }), {
        artifacts: { ...place, path: "files", name: "x", namespaceType: "BUILD_ID" },
        actions: ["s3:PutObject"],
      }),
      built(spec(phases, { artifacts: ARTIFACTS }), {
        artifacts: { ...place, path: "zipped", name: "x", overrideArtifactName: true, packaging: "ZIP" },
        actions: ["s3:PutObject"],
      }),
    ]);
    const id = files.id!.split(":")[1];
    expect(await keys("files/")).toEqual([`files/${id}/x/a.txt`, `files/${id}/x/deep/b.txt`]);
    expect(await keys("zipped/")).toEqual(["zipped/named"]);
    const zip = await (await lab.s3.send(new GetObjectCommand({ Bucket: "artifacts", Key: "zipped/named" }))).Body!.transformToByteArray();
    expect(Object.keys(unzipSync(zip))).toEqual(["a.txt", "deep/b.txt"]);
  });

  test("that are not there fail the build, and are uploaded although the build failed", async () => {
    const [missing, failed] = await Promise.all([
      built(spec(phases, { artifacts: { files: ["none.txt"] } }), { artifacts: { type: "S3", location: "artifacts", name: "missing" } }),
      built(spec({ build: { commands: [...phases.build.commands, "false"] } }, { artifacts: ARTIFACTS }), {
        artifacts: { type: "S3", location: "artifacts", name: "failed" },
        actions: ["s3:PutObject"],
      }),
    ]);
    expect(contextOf(missing)).toMatchObject({
      statusCode: "CLIENT_ERROR",
      message: expect.stringContaining("no matching artifact paths") as string,
    });
    expect(failed.buildStatus).toBe("FAILED");
    expect(await keys("failed/")).toEqual(["failed/a.txt", "failed/deep/b.txt"]);
  });
});

describe("operations", () => {
  const SLEEPY = spec({ build: { commands: ["sleep 600"] } });
  const get = async (id: string) => (await lab.codebuild.send(new BatchGetBuildsCommand({ ids: [id] }))).builds![0]!;

  test("a build is stopped, and retried with what it was given", async () => {
    await lab.project("sleepy", SLEEPY);
    const { build } = await lab.codebuild.send(
      new StartBuildCommand({ projectName: "sleepy", environmentVariablesOverride: [{ name: "WHO", value: "phage" }] }),
    );
    expect(build?.environment?.environmentVariables).toEqual([expect.objectContaining({ name: "WHO", value: "phage" })]);
    await until(
      () => get(build!.id!),
      ({ currentPhase }) => currentPhase === "BUILD",
    );
    expect((await lab.codebuild.send(new StopBuildCommand({ id: build!.id! }))).build).toMatchObject({
      buildStatus: "STOPPED",
      buildComplete: true,
    });
    expect(await get(build!.id!)).toMatchObject({ buildStatus: "STOPPED" });
    const again = (await lab.codebuild.send(new RetryBuildCommand({ id: build!.id! }))).build!;
    expect(again).toMatchObject({ buildNumber: 2, buildStatus: "IN_PROGRESS", environment: { image: "aws/codebuild/standard:7.0" } });
    await lab.codebuild.send(new StopBuildCommand({ id: again.id! }));
  });

  test("the same token is the same build", async () => {
    await lab.project("once", spec({ build: { commands: ["true"] } }));
    const start = () => lab.codebuild.send(new StartBuildCommand({ projectName: "once", idempotencyToken: "a" }));
    expect((await start()).build?.id).toBe((await start()).build?.id);
  });

  test("a request overrides the project, and its buildspec may be an object of S3", async () => {
    await lab.s3.send(new CreateBucketCommand({ Bucket: "specs" }));
    await lab.s3.send(
      new PutObjectCommand({
        Bucket: "specs",
        Key: "a/build.yml",
        Body: 'version: 0.2\nphases:\n  build:\n    commands:\n      - echo "> $CODEBUILD_BUILD_IMAGE"\n',
      }),
    );
    await lab.project("overridden", SLEEPY, { actions: ["s3:GetObject"] });
    const build = await lab.build("overridden", { buildspecOverride: "arn:aws:s3:::specs/a/build.yml", imageOverride: "my/image:1" });
    expect((await lab.linesOf(build)).map((line) => line.trimEnd())).toContain("> my/image:1");
  });
});
