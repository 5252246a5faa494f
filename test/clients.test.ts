import { afterAll, beforeAll, expect, test } from "vitest";
import { awsCli, openShell, PATIENCE_MS, type Shell } from "./clients/aws-cli.ts";

let shell: Shell;
beforeAll(async () => void (shell = await openShell()));
afterAll(() => shell[Symbol.asyncDispose]());

const there = (name: string, run: () => Promise<void>): void => test.runIf(awsCli).concurrent(name, run, PATIENCE_MS);

there("each profile is an identity of its account", async () => {
  const who = await Promise.all(
    (["cicd", "production", "developer", "approver"] as const).map((profile) => shell.aws(profile, "sts", "get-caller-identity")),
  );
  expect(who.map(({ Account, Arn }) => ({ Account, Arn }))).toEqual([
    { Account: "111122223333", Arn: "arn:aws:iam::111122223333:user/cicd" },
    { Account: "444455556666", Arn: "arn:aws:iam::444455556666:user/production" },
    { Account: "111122223333", Arn: "arn:aws:iam::111122223333:user/developer" },
    { Account: "111122223333", Arn: "arn:aws:iam::111122223333:user/approver" },
  ]);
});

there("a denial names the action", async () => {
  expect(await shell.refused("approver", "s3api", "create-bucket", "--bucket", "not-for-the-approver")).toMatch(
    /AccessDenied.*s3:CreateBucket/s,
  );
});

there("a service that is not there is refused by its name, in the form its client reads", async () => {
  const asked = [
    ["ec2", "describe-instances"],
    ["dynamodb", "list-tables"],
    ["secretsmanager", "list-secrets"],
    ["batch", "describe-job-queues"],
  ] as const;
  const said = await Promise.all(asked.map(([service, operation]) => shell.refused("cicd", service, operation)));
  for (const [index, [service]] of asked.entries())
    expect(said[index]).toMatch(new RegExp(`\\(NotImplemented\\).*the local accounts do not implement ${service}:`));
});

there("iam makes a role that sts hands out", async () => {
  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:root" }, Action: "sts:AssumeRole" }],
  });
  await shell.aws("cicd", "iam", "create-role", "--role-name", "reader", "--assume-role-policy-document", trust);
  await shell.aws(
    "cicd",
    "iam",
    "put-role-policy",
    "--role-name",
    "reader",
    "--policy-name",
    "read",
    "--policy-document",
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }] }),
  );
  const [role, policies, session] = await Promise.all([
    shell.aws("cicd", "iam", "get-role", "--role-name", "reader"),
    shell.aws("cicd", "iam", "list-role-policies", "--role-name", "reader"),
    shell.aws("cicd", "sts", "assume-role", "--role-arn", "arn:aws:iam::111122223333:role/reader", "--role-session-name", "me"),
  ]);
  expect(role).toMatchObject({
    Role: { Arn: "arn:aws:iam::111122223333:role/reader", AssumeRolePolicyDocument: JSON.parse(trust) as object },
  });
  expect(policies).toMatchObject({ PolicyNames: ["read"] });
  expect(session).toMatchObject({ AssumedRoleUser: { Arn: "arn:aws:sts::111122223333:assumed-role/reader/me" } });
});

there("kms gives back what it encrypted", async () => {
  const { KeyMetadata } = await shell.aws<{ KeyMetadata: { KeyId: string } }>("cicd", "kms", "create-key", "--description", "for tests");
  const plain = Buffer.from("attgaccgtaa").toString("base64");
  const key = shell.file("plain.bin", Buffer.from(plain, "base64"));
  const { CiphertextBlob } = await shell.aws<{ CiphertextBlob: string }>(
    "cicd",
    "kms",
    "encrypt",
    "--key-id",
    KeyMetadata.KeyId,
    "--plaintext",
    `fileb://${key}`,
  );
  const sealed = shell.file("sealed.bin", Buffer.from(CiphertextBlob, "base64"));
  expect(await shell.aws("cicd", "kms", "decrypt", "--ciphertext-blob", `fileb://${sealed}`)).toMatchObject({ Plaintext: plain });
});

there("ssm keeps a parameter's versions", async () => {
  await shell.aws("cicd", "ssm", "put-parameter", "--name", "/lab/genome", "--value", "lambda", "--type", "String");
  await shell.aws("cicd", "ssm", "put-parameter", "--name", "/lab/genome", "--value", "phix", "--type", "String", "--overwrite");
  const [one, all] = await Promise.all([
    shell.aws("cicd", "ssm", "get-parameter", "--name", "/lab/genome"),
    shell.aws("cicd", "ssm", "get-parameters-by-path", "--path", "/lab"),
  ]);
  expect(one).toMatchObject({ Parameter: { Value: "phix", Version: 2 } });
  expect(all).toMatchObject({ Parameters: [{ Name: "/lab/genome", Value: "phix" }] });
});

there("sns publishes to a topic", async () => {
  const { TopicArn } = await shell.aws<{ TopicArn: string }>("cicd", "sns", "create-topic", "--name", "approvals");
  const [published, topics] = await Promise.all([
    shell.aws("cicd", "sns", "publish", "--topic-arn", TopicArn, "--subject", "Please look", "--message", "1.0.0 waits"),
    shell.aws<{ Topics: readonly { TopicArn: string }[] }>("cicd", "sns", "list-topics"),
  ]);
  expect(published["MessageId"]).toEqual(expect.stringMatching(/^[0-9a-f-]{36}$/));
  expect(topics.Topics).toContainEqual({ TopicArn });
});

there("an event that a rule matches is accepted and matched by a rule", async () => {
  const { TopicArn } = await shell.aws<{ TopicArn: string }>("cicd", "sns", "create-topic", "--name", "of-events");
  const { RuleArn } = await shell.aws<{ RuleArn: string }>(
    "cicd",
    "events",
    "put-rule",
    "--name",
    "runs",
    "--event-pattern",
    JSON.stringify({ source: ["lab.runs"] }),
  );
  const [targets, put, matched] = await Promise.all([
    shell.aws("cicd", "events", "put-targets", "--rule", "runs", "--targets", `Id=topic,Arn=${TopicArn}`),
    shell.aws("cicd", "events", "put-events", "--entries", JSON.stringify([{ Source: "lab.runs", DetailType: "Run ended", Detail: "{}" }])),
    shell.aws(
      "cicd",
      "events",
      "test-event-pattern",
      "--event-pattern",
      JSON.stringify({ source: ["lab.runs"] }),
      "--event",
      JSON.stringify({
        id: "1",
        account: "111122223333",
        source: "lab.runs",
        time: "2026-01-01T00:00:00Z",
        region: "us-east-1",
        resources: [],
        "detail-type": "x",
        detail: {},
      }),
    ),
  ]);
  expect(RuleArn).toBe("arn:aws:events:us-east-1:111122223333:rule/runs");
  expect(targets).toMatchObject({ FailedEntryCount: 0 });
  expect(put).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) as string }] });
  expect(matched).toEqual({ Result: true });
  expect(await shell.aws("cicd", "events", "list-targets-by-rule", "--rule", "runs")).toMatchObject({
    Targets: [{ Id: "topic", Arn: TopicArn }],
  });
});

there("cloudformation deploys, updates and deletes a stack", async () => {
  const template = (value: string) =>
    JSON.stringify({
      Parameters: { Value: { Type: "String" } },
      Resources: {
        Genome: {
          Type: "AWS::SSM::Parameter",
          Properties: { Name: "/stack/genome", Type: "String", Value: { Ref: "Value" }, Description: value },
        },
      },
      Outputs: { Name: { Value: { Ref: "Genome" } } },
    });
  const deploy = (value: string) =>
    shell.text(
      "cicd",
      "cloudformation",
      "deploy",
      "--stack-name",
      "lab",
      "--template-file",
      shell.file("lab.json", template(value)),
      "--parameter-overrides",
      `Value=${value}`,
    );
  expect(await deploy("lambda")).toContain("Successfully created/updated stack - lab");
  await deploy("phix");
  const [stacks, events, parameter] = await Promise.all([
    shell.aws("cicd", "cloudformation", "describe-stacks", "--stack-name", "lab"),
    shell.aws<{ StackEvents: readonly { LogicalResourceId: string; ResourceStatus: string }[] }>(
      "cicd",
      "cloudformation",
      "describe-stack-events",
      "--stack-name",
      "lab",
    ),
    shell.aws("cicd", "ssm", "get-parameter", "--name", "/stack/genome"),
  ]);
  expect(stacks).toMatchObject({
    Stacks: [{ StackStatus: "UPDATE_COMPLETE", Outputs: [{ OutputKey: "Name", OutputValue: "/stack/genome" }] }],
  });
  expect(
    events.StackEvents.filter(({ LogicalResourceId }) => LogicalResourceId === "Genome").map(({ ResourceStatus }) => ResourceStatus),
  ).toEqual(["UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS"]);
  expect(parameter).toMatchObject({ Parameter: { Value: "phix" } });
  await shell.aws("cicd", "cloudformation", "delete-stack", "--stack-name", "lab");
  await shell.text("cicd", "cloudformation", "wait", "stack-delete-complete", "--stack-name", "lab");
  expect(await shell.refused("cicd", "ssm", "get-parameter", "--name", "/stack/genome")).toContain("ParameterNotFound");
});
