import { CodeCommitClient, CreateCommitCommand, CreateRepositoryCommand } from "@aws-sdk/client-codecommit";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { contextOf, openCodeLab, type OwnCodeLab, spec } from "./testing/own-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: OwnCodeLab;
beforeAll(async () => {
  lab = await openCodeLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

test("the shell is sh, and bash where it is asked for", async () => {
  const command = 'echo "> ${BASH_VERSION:+bash}"';
  const [sh, bash, amazon] = await Promise.all([
    lab.built(spec({ build: { commands: [command] } })),
    lab.built(spec({ build: { commands: [command, "[[ a == a ]]"] } }, { env: { shell: "bash" } })),
    lab.built(spec({ build: { commands: [command] } }), {
      environment: {
        type: "LINUX_CONTAINER",
        image: "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
        computeType: "BUILD_GENERAL1_SMALL",
      },
    }),
  ]);
  expect([bash.said, amazon.said]).toEqual([["bash"], ["bash"]]);
  expect(sh.buildStatus).toBe("SUCCEEDED");
  expect((await lab.built(spec({ build: { commands: ["true"] } }, { env: { shell: "powershell.exe" } }))).buildStatus).toBe("FAILED");
});

test("parameters of SSM and secrets become variables, as the project's role may read them, and no log shows them", async () => {
  const ssm = new SSMClient(lab.accounts.config());
  await ssm.send(new PutParameterCommand({ Name: "/lab/secret", Value: "sealed", Type: "SecureString" }));
  await new SecretsManagerClient(lab.accounts.config()).send(
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
    lab.built(spec(phases, { env }), { environment, actions: ["ssm:GetParameter", "kms:Decrypt", "secretsmanager:GetSecretValue"] }),
    lab.built(spec(phases, { env })),
  ]);
  expect(allowed.said).toEqual(["***, ***, from the project, other, ***", "s_e_a_l_e_d_ _a_d_a_", "*** un***", "***"]);
  expect(allowed.lines.filter((line) => /sealed|\bada\b|(?:first|second) line|A[KS]IA[A-Z0-9]{16}/.test(line))).toEqual([]);
  expect(denied).toMatchObject({ buildStatus: "FAILED", said: [] });
  expect(contextOf(denied)?.message).toMatch(
    /variable (SECRET: parameter|WHO: secret) \S+ can't be read: .*(ssm:GetParameter|secretsmanager:GetSecretValue)/,
  );
});

test("exported variables are told as they are at the end", async () => {
  const { exportedEnvironmentVariables } = await lab.built(
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

test("the machine's Docker is reached as its user reaches it, and without the user's logins", async () => {
  const docker = join(dirname(lab.accounts.configFile), ".docker");
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
  const { said } = await lab.built(
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

test("Git clones from CodeCommit's own address, where the buildspec asks for its credentials", async () => {
  const codecommit = new CodeCommitClient(lab.accounts.config());
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
    lab.built(spec(phases, { env: { "git-credential-helper": "yes" } }), { actions: ["codecommit:GitPull"] }),
    lab.built(spec(phases), { actions: ["codecommit:GitPull"] }),
    lab.built(spec(phases, { env: { "git-credential-helper": true } })),
  ]);
  expect([asked.said, silent.buildStatus, denied.buildStatus]).toEqual([["version 1.1"], "FAILED", "FAILED"]);
});

test("a program that uses the JavaScript SDK reaches HealthOmics, label before the host or not", async () => {
  const code = `import("${import.meta.resolve("@aws-sdk/client-omics")}").then(async ({ OmicsClient, ListWorkflowsCommand }) => console.log("> " + (await new OmicsClient({}).send(new ListWorkflowsCommand({}))).items.length))`;
  expect((await lab.built(spec({ build: { commands: [`node -e '${code}'`] } }), { actions: ["omics:ListWorkflows"] })).said).toEqual(["0"]);
});
