import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CICD, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { allow, Door } from "./testing/door.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());
const { create, invoke, node, python, role } = new Door(() => accounts);

const logsOf = async (name: string) =>
  (await new CloudWatchLogsClient(accounts.config()).send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}` }))).events!.map(
    ({ message }) => message!,
  );

describe("Node", () => {
  test("gives what the handler returns", async () => {
    expect(await invoke(await node("return { got: event, name: context.functionName };"), { a: [1] })).toMatchObject({
      status: 200,
      error: undefined,
      payload: { got: { a: [1] }, name: expect.stringMatching(/^function-/) },
    });
  });
  test("CommonJS with a callback, a nested module and no value", async () => {
    expect(
      await invoke(
        await create({ "index.js": "exports.handler = (event, context, done) => done(null, event.n + 1);" }, { Runtime: "nodejs20.x" }),
        { n: 1 },
      ),
    ).toMatchObject({ payload: 2 });
    expect(
      await invoke(
        await create({ "src/app.mjs": "export const handlers = { main: async () => {} };" }, { Handler: "src/app.handlers.main" }),
      ),
    ).toMatchObject({ payload: null, error: undefined });
  });
  test("a thrown error is the payload", async () => {
    const { payload, error, status } = await invoke(await node("throw new RangeError('too far');"));
    expect({ error, status, payload }).toMatchObject({
      status: 200,
      error: "Unhandled",
      payload: {
        errorType: "RangeError",
        errorMessage: "too far",
        trace: expect.arrayContaining([expect.stringContaining("RangeError: too far")]),
      },
    });
  });
  test.each([
    ["a module that is not there", { "other.mjs": "" }, "Runtime.ImportModuleError"],
    ["a handler that is not there", { "index.mjs": "export const other = 1;" }, "Runtime.HandlerNotFound"],
    ["a syntax error", { "index.mjs": "export const handler = ;" }, "Runtime.UserCodeSyntaxError"],
    ["a process that exits", { "index.mjs": "export const handler = () => process.exit(3);" }, "Runtime.ExitError"],
    [
      "a rejection that nobody handles",
      { "index.mjs": "export const handler = () => { Promise.reject(new Error('lost')); return new Promise(() => {}); };" },
      "Runtime.UnhandledPromiseRejection",
    ],
  ])("%s", async (_, files, errorType) => {
    expect(await invoke(await create(files))).toMatchObject({ error: "Unhandled", payload: { errorType } });
  });
  test("a process stays warm, and is replaced after it died", async () => {
    const name = await create({
      "index.mjs": "let n = 0; export const handler = (event) => { if (event.die) process.exit(1); return [++n, process.pid]; };",
    });
    const [first, second] = [(await invoke(name)).payload as number[], (await invoke(name)).payload as number[]];
    expect([first[0], second[0], second[1] === first[1]]).toEqual([1, 2, true]);
    await invoke(name, { die: true });
    expect((await invoke(name)).payload).toEqual([1, expect.any(Number)]);
  });
  test("several at once have a process each", async () => {
    const name = await node("await new Promise((done) => setTimeout(done, 300)); return process.pid;");
    const pids = await Promise.all([1, 2, 3].map(async () => (await invoke(name)).payload));
    expect(new Set(pids).size).toBe(3);
  });
  test("the time is limited, and the rest of it is known", async () => {
    const name = await node(
      "if (event.wait) await new Promise((done) => setTimeout(done, 60_000)); return context.getRemainingTimeInMillis();",
      { Timeout: 1 },
    );
    expect((await invoke(name)).payload).toBeLessThanOrEqual(1_000);
    const { payload, error, log } = await invoke(name, { wait: true });
    expect({ payload, error }).toMatchObject({
      error: "Unhandled",
      payload: {
        errorType: "Sandbox.Timedout",
        errorMessage: expect.stringMatching(/^RequestId: \S+ Error: Task timed out after 1\.00 seconds$/),
      },
    });
    expect(log).toContain("Task timed out after 1.00 seconds");
  });
  test("memory is limited", async () => {
    const name = await node(
      "const kept = []; for (;;) { kept.push(Buffer.alloc(10_000_000, 1)); await new Promise((done) => setTimeout(done, 20)); }",
    );
    expect(await invoke(name)).toMatchObject({ error: "Unhandled", payload: { errorType: "Runtime.OutOfMemory" } });
  });
  test("the environment is AWS's and the function's own, and nothing of this machine", async () => {
    process.env["SECRET_OF_THE_MACHINE"] = "x";
    const { payload } = await invoke(await node("return process.env;", { Environment: { Variables: { OWN: "1" } }, MemorySize: 256 }));
    expect(payload).toMatchObject({
      OWN: "1",
      AWS_REGION: REGION,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_ENDPOINT_URL: accounts.url,
      AWS_DISABLE_HOST_PREFIX_INJECTION: "true",
      _HANDLER: "index.handler",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    });
    expect(payload).not.toHaveProperty("SECRET_OF_THE_MACHINE");
    expect(payload).not.toHaveProperty("HOME");
  });
});

describe("the AWS SDK inside a function", () => {
  test("in JavaScript works with the role's permissions, and no others", async () => {
    const name = await node(
      `const { S3Client, CreateBucketCommand, ListBucketsCommand } = await import("@aws-sdk/client-s3");
       const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
       const s3 = new S3Client({ forcePathStyle: true });
       const { Arn } = await new STSClient().send(new GetCallerIdentityCommand({}));
       await s3.send(new ListBucketsCommand({}));
       const denied = await s3.send(new CreateBucketCommand({ Bucket: "denied" })).catch((error) => error.name);
       return { Arn, denied };`,
      { Role: await role(allow("s3:ListAllMyBuckets")), MemorySize: 512 },
    );
    expect(await invoke(name)).toMatchObject({
      payload: { Arn: expect.stringMatching(new RegExp(`^arn:aws:sts::${CICD}:assumed-role/role-\\d+/${name}$`)), denied: "AccessDenied" },
    });
  });
  test("in JavaScript reaches HealthOmics, whose SDK puts a label before the host", async () => {
    const name = await node(
      `const { OmicsClient, ListWorkflowsCommand } = await import("@aws-sdk/client-omics");
       return (await new OmicsClient().send(new ListWorkflowsCommand({}))).items;`,
      { Role: await role(allow("omics:ListWorkflows")), MemorySize: 512 },
    );
    expect(await invoke(name)).toMatchObject({ error: undefined, payload: [] });
  });
  test("in Python", async () => {
    const name = await python(
      `import boto3\ndef handler(event, context):\n    omics = boto3.client("omics").list_workflows()["items"]\n    return [boto3.client("sts").get_caller_identity()["Account"], omics, context.function_name]`,
      { Role: await role(allow("omics:ListWorkflows")), MemorySize: 512, Timeout: 60 },
    );
    expect(await invoke(name)).toMatchObject({ error: undefined, payload: [CICD, [], name] });
  }, 120_000);
});

describe("Python", () => {
  test("gives what the handler returns, with modules of its own", async () => {
    const name = await create(
      {
        "app/main.py":
          "from app.part import double\ndef run(event, context):\n    return {'n': double(event['n']), 'left': context.get_remaining_time_in_millis() > 0}",
        "app/part.py": "double = lambda n: 2 * n",
      },
      { Runtime: "python3.11", Handler: "app/main.run" },
    );
    expect(await invoke(name, { n: 4 })).toMatchObject({ payload: { n: 8, left: true } });
  });
  test("a raised error is the payload", async () => {
    expect(await invoke(await python("def handler(event, context):\n    raise KeyError('missing')"))).toMatchObject({
      error: "Unhandled",
      payload: { errorType: "KeyError", errorMessage: "'missing'", stackTrace: [expect.stringContaining("raise KeyError")] },
    });
  });
  test.each([
    ["import nothing_like_that", "Runtime.ImportModuleError"],
    ["def other(): pass", "Runtime.HandlerNotFound"],
    ["def handler(:", "Runtime.UserCodeSyntaxError"],
    ["1 / 0", "ZeroDivisionError"],
    ["import os\ndef handler(event, context):\n    os._exit(5)", "Runtime.ExitError"],
  ])("%j", async (source, errorType) => {
    expect(await invoke(await python(source))).toMatchObject({ error: "Unhandled", payload: { errorType } });
  });
});

test("a provided runtime's own bootstrap speaks the runtime interface", async () => {
  const bootstrap = [
    "#!/bin/sh",
    'base="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"',
    "while true; do",
    '  event=$(curl -sS -D headers.txt "$base/invocation/next") || exit 0',
    "  id=$(sed -n 's/^lambda-runtime-aws-request-id: //Ip' headers.txt | tr -d '\\r')",
    '  curl -sS -o /dev/null -X POST "$base/invocation/$id/response" -d "{\\"shell\\": $event}"',
    "done",
  ].join("\n");
  const { zipSync, strToU8 } = await import("fflate");
  const ZipFile = zipSync({ bootstrap: [strToU8(bootstrap), { os: 3, attrs: 0o100755 << 16 }] });
  expect(await invoke(await create({}, { Runtime: "provided.al2023", Handler: "any", Code: { ZipFile } }), { a: 1 })).toMatchObject({
    payload: { shell: { a: 1 } },
  });
});

describe("logs", () => {
  test("have the lines of the platform and the function's, with request id and level", async () => {
    const name = await node("console.log('hello', { a: 1 }); console.error('oh'); process.stdout.write('raw\\n'); return 1;");
    const { log } = await invoke(name);
    expect(
      log.split("\n").map((line) =>
        line
          .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID")
          .replace(/^\S+Z\t/, "TIME\t")
          .replace(/Duration.*/, "…"),
      ),
    ).toEqual([
      "START RequestId: ID Version: $LATEST",
      "TIME\tID\tINFO\thello { a: 1 }",
      "TIME\tID\tERROR\toh",
      "raw",
      "END RequestId: ID",
      "REPORT RequestId: ID\t…",
      "",
    ]);
    expect((await logsOf(name)).join("\n")).toContain("INFO\thello { a: 1 }");
  });
  test("of Python have the levels of its logging", async () => {
    const name = await python(
      "import logging\nlogging.getLogger().setLevel('INFO')\ndef handler(event, context):\n    logging.info('told')\n    print('printed', context.log_stream_name)",
    );
    const { log } = await invoke(name);
    expect(log).toMatch(/\[INFO\]\t\d{4}-\S+Z\t[0-9a-f-]{36}\ttold\nprinted \d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}\n/);
  });
  test("as JSON", async () => {
    const name = await node("console.warn('careful');", { LoggingConfig: { LogFormat: "JSON" } });
    const line = (await invoke(name)).log.split("\n").find((text) => text.includes("careful"))!;
    expect(JSON.parse(line)).toMatchObject({ level: "WARN", message: "careful", requestId: expect.any(String) });
  });
  test("are lost when the role may not write them, and the operator is told", async () => {
    const name = await node("console.log('nobody reads this');", { Role: await role(allow("s3:GetObject")) });
    await invoke(name);
    await expect(logsOf(name)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    expect(accounts.log.join("\n")).toContain(`the logs of ${name} are lost: `);
  });
});

describe("asking", () => {
  test("asynchronously answers at once and runs later", async () => {
    const name = await node("console.log('ran with', event.n);");
    expect(await invoke(name, { n: 7 }, { InvocationType: "Event", LogType: undefined })).toMatchObject({
      status: 202,
      payload: undefined,
    });
    await vi.waitFor(async () => expect((await logsOf(name)).join("\n")).toContain("ran with 7"), { timeout: 90_000 });
  });
  test("dry", async () => {
    const { status } = await invoke(await node("return 1;"), {}, { InvocationType: "DryRun" });
    expect(status).toBe(204);
  });
  test("by ARN, partial ARN and $LATEST", async () => {
    const name = await node("return 1;");
    for (const way of [`arn:aws:lambda:${REGION}:${CICD}:function:${name}`, `${CICD}:function:${name}`, `${name}:$LATEST`])
      expect((await invoke(way)).payload).toBe(1);
    await expect(invoke(name, {}, { Qualifier: "live" })).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
    await expect(invoke("nobody")).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: `Function not found: arn:aws:lambda:${REGION}:${CICD}:function:nobody`,
    });
  });
  test("with what is no JSON is refused", async () => {
    await expect(invoke(await node("return 1;"), {}, { Payload: Buffer.from("{") })).rejects.toMatchObject({
      name: "InvalidRequestContentException",
    });
  });
  test("the client's context reaches the function", async () => {
    const ClientContext = Buffer.from('{"custom":{"a":1}}').toString("base64");
    expect(await invoke(await node("return context.clientContext;"), {}, { ClientContext })).toMatchObject({
      payload: { custom: { a: 1 } },
    });
  });
});

test("a restart makes an asynchronous invocation again that was under way, and ends what ran", async () => {
  const name = await node(
    "console.log('began', process.pid); await new Promise((done) => setTimeout(done, event.first && !globalThis.again ? 60_000 : 0)); console.log('ended');",
    { Timeout: 60 },
  );
  await invoke(name, { first: true }, { InvocationType: "Event", LogType: undefined });
  const pid = await vi.waitFor(async () => Number(/began (\d+)/.exec((await logsOf(name)).join("\n"))![1]), { timeout: 90_000 });
  await accounts.restart();
  expect(() => process.kill(pid, 0)).toThrow();
  await vi.waitFor(async () => expect((await logsOf(name)).filter((line) => line.includes("began")).length).toBe(2), { timeout: 90_000 });
});
