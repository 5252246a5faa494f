import {
  AddPermissionCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteLayerVersionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionCommand,
  GetPolicyCommand,
  ListFunctionsCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  ListTagsCommand,
  paginateListFunctions,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { strToU8, unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { Door, fresh, zip } from "./testing/door.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());
const { create, invoke, lambda, node, role } = new Door(() => accounts);

const code = (text: string) => zip({ "index.mjs": `export const handler = async () => ${JSON.stringify(text)};` });

describe("functions", () => {
  test("are created, described, listed and deleted", async () => {
    const name = await node("return 1;", { Description: "d", Environment: { Variables: { A: "1" } }, Tags: { team: "a" } });
    await waitUntilFunctionActiveV2({ client: lambda(), maxWaitTime: 5 }, { FunctionName: name });
    const { Configuration, Code, Tags } = await lambda().send(new GetFunctionCommand({ FunctionName: name }));
    expect(Configuration).toMatchObject({
      FunctionName: name,
      FunctionArn: `arn:aws:lambda:${REGION}:${CICD}:function:${name}`,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Timeout: 20,
      MemorySize: 128,
      Description: "d",
      Version: "$LATEST",
      State: "Active",
      LastUpdateStatus: "Successful",
      PackageType: "Zip",
      Environment: { Variables: { A: "1" } },
      LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${name}` },
      CodeSha256: expect.stringMatching(/^[\w+/]{43}=$/),
    });
    expect(Tags).toEqual({ team: "a" });
    const downloaded = new Uint8Array(await (await fetch(Code!.Location!)).arrayBuffer());
    expect(Object.keys(unzipSync(downloaded))).toEqual(["index.mjs"]);
    expect((await lambda().send(new ListFunctionsCommand({}))).Functions!.map(({ FunctionName }) => FunctionName)).toContain(name);
    await lambda().send(new DeleteFunctionCommand({ FunctionName: name }));
    await expect(lambda().send(new GetFunctionConfigurationCommand({ FunctionName: name }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  test("take their code from S3, with the caller's permissions", async () => {
    const Bucket = fresh("code");
    const s3 = new S3Client(accounts.config());
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "f.zip", Body: code("from S3") }));
    expect((await invoke(await create({}, { Code: { S3Bucket: Bucket, S3Key: "f.zip" } }))).payload).toBe("from S3");
    await expect(create({}, { Code: { S3Bucket: Bucket, S3Key: "none.zip" } })).rejects.toMatchObject({ name: "NoSuchKey" });
    const abroad = fresh("code");
    await new S3Client({ ...accounts.config(), region: "eu-west-1" }).send(new CreateBucketCommand({ Bucket: abroad }));
    await expect(create({}, { Code: { S3Bucket: abroad, S3Key: "f.zip" } })).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: expect.stringContaining("The bucket is in this region: eu-west-1"),
    });
  });

  test("changed, run the change from the next call on", async () => {
    const name = await create({}, { Code: { ZipFile: code("one") } });
    expect((await invoke(name)).payload).toBe("one");
    const before = await lambda().send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    await lambda().send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: code("two") }));
    await waitUntilFunctionUpdatedV2({ client: lambda(), maxWaitTime: 5 }, { FunctionName: name });
    expect((await invoke(name)).payload).toBe("two");
    const changed = await lambda().send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 7, Environment: { Variables: { B: "2" } } }),
    );
    expect(changed).toMatchObject({ Timeout: 7, Environment: { Variables: { B: "2" } }, Handler: "index.handler" });
    await expect(
      lambda().send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 8, RevisionId: before.RevisionId })),
    ).rejects.toMatchObject({ name: "PreconditionFailedException" });
    const dry = await lambda().send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: code("three"), DryRun: true }));
    expect(dry.CodeSha256).not.toBe(changed.CodeSha256);
    expect((await invoke(name)).payload).toBe("two");
  });

  test.each([
    [{ Runtime: "java21" as const }, "InvalidParameterValueException", /runtime parameter of java21 is not supported/],
    [{ Handler: undefined }, "ValidationException", /'handler'/],
    [{ Timeout: 901 }, "ValidationException", /'timeout'/],
    [{ MemorySize: 64 }, "ValidationException", /MemorySize/],
    [
      { Environment: { Variables: { AWS_REGION: "x" } } },
      "InvalidParameterValueException",
      /Reserved keys used in this request: AWS_REGION/,
    ],
    [{ Environment: { Variables: { A: "x".repeat(5000) } } }, "InvalidParameterValueException", /4KB limit/],
    [{ Role: `arn:aws:iam::${CICD}:role/nobody` }, "InvalidParameterValueException", /cannot be assumed by Lambda/],
    [{ Code: { ZipFile: strToU8("no zip") } }, "InvalidParameterValueException", /Could not unzip uploaded file/],
    [{ Code: { ZipFile: zipSync({ "../../outside": strToU8("x") }) } }, "InvalidParameterValueException", /Could not unzip uploaded file/],
    [{ Layers: [`arn:aws:lambda:${REGION}:${CICD}:layer:none:1`] }, "ResourceNotFoundException", /Layer version/],
    [{ FunctionName: "a b" }, "ValidationException", /functionName/],
  ])("%j is refused", async (part, name, message) => {
    await expect(create({ "index.mjs": "" }, { ...part })).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  test("a ZIP that unpacks to more than Lambda takes is refused, however small it is itself", async () => {
    const ZipFile = zipSync({ "index.mjs": strToU8(""), zeros: new Uint8Array(262_144_001) });
    await expect(create({ "index.mjs": "" }, { Code: { ZipFile } })).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: "Unzipped size must be smaller than 262144000 bytes",
    });
  });

  test.each([
    [{ PackageType: "Image" as const }, /container images/],
    [{ VpcConfig: { SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"] } }, /VPC/],
    [{ DeadLetterConfig: { TargetArn: "arn:aws:sqs:us-east-1:111122223333:q" } }, /dead-letter/],
  ])("%j is said to be missing", async (part, message) => {
    await expect(create({ "index.mjs": "" }, part)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 501 },
      message: expect.stringMatching(message),
    });
  });

  test("have one version", async () => {
    await expect(lambda().send(new PublishVersionCommand({ FunctionName: await node("") }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 501 },
    });
  });

  test("a name is taken once", async () => {
    const FunctionName = await node("");
    await expect(create({ "index.mjs": "" }, { FunctionName })).rejects.toMatchObject({
      name: "ResourceConflictException",
      message: `Function already exist: ${FunctionName}`,
    });
  });

  test("are listed by page", async () => {
    const names = [await node(""), await node(""), await node("")];
    const found: string[] = [];
    for await (const { Functions } of paginateListFunctions({ client: lambda(), pageSize: 2 }, {}))
      found.push(...Functions!.map(({ FunctionName }) => FunctionName!));
    expect(found).toEqual(expect.arrayContaining(names));
    expect(new Set(found).size).toBe(found.length);
  });

  test("tags", async () => {
    const Resource = `arn:aws:lambda:${REGION}:${CICD}:function:${await node("", { Tags: { a: "1" } })}`;
    await lambda().send(new TagResourceCommand({ Resource, Tags: { b: "2" } }));
    await lambda().send(new UntagResourceCommand({ Resource, TagKeys: ["a"] }));
    expect((await lambda().send(new ListTagsCommand({ Resource }))).Tags).toEqual({ b: "2" });
  });

  test("reserved concurrency: one at a time, or none", async () => {
    const name = await node("await new Promise((done) => setTimeout(done, 200)); return process.pid;");
    await lambda().send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 1 }));
    const pids = await Promise.all([1, 2].map(async () => (await invoke(name)).payload));
    expect(new Set(pids).size).toBe(1);
    await lambda().send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 }));
    await expect(invoke(name)).rejects.toMatchObject({ name: "TooManyRequestsException" });
    await lambda().send(new DeleteFunctionConcurrencyCommand({ FunctionName: name }));
    expect((await invoke(name)).error).toBeUndefined();
  });
});

describe("permissions", () => {
  test("a developer may not invoke; another account may when the function's policy says so", async () => {
    const name = await node("return 'in';");
    const FunctionName = `arn:aws:lambda:${REGION}:${CICD}:function:${name}`;
    const { invoke: asDeveloper } = new Door(() => ({ ...accounts, config: () => accounts.config("developer") }) as TestAccounts);
    const { invoke: asProduction } = new Door(() => ({ ...accounts, config: () => accounts.config("production") }) as TestAccounts);
    await expect(asDeveloper(FunctionName)).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(asProduction(FunctionName)).rejects.toMatchObject({ name: "AccessDeniedException" });
    await lambda().send(
      new AddPermissionCommand({ FunctionName: name, StatementId: "production", Action: "lambda:InvokeFunction", Principal: PRODUCTION }),
    );
    expect((await asProduction(FunctionName)).payload).toBe("in");
    await lambda().send(new RemovePermissionCommand({ FunctionName: name, StatementId: "production" }));
    await expect(asProduction(FunctionName)).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test("statements as AWS writes them", async () => {
    const FunctionName = await node("");
    const SourceArn = "arn:aws:s3:::bucket";
    const { Statement } = await lambda().send(
      new AddPermissionCommand({
        FunctionName,
        StatementId: "s3",
        Action: "lambda:InvokeFunction",
        Principal: "s3.amazonaws.com",
        SourceArn,
        SourceAccount: CICD,
      }),
    );
    const expected = {
      Sid: "s3",
      Effect: "Allow",
      Principal: { Service: "s3.amazonaws.com" },
      Action: "lambda:InvokeFunction",
      Resource: `arn:aws:lambda:${REGION}:${CICD}:function:${FunctionName}`,
      Condition: { StringEquals: { "AWS:SourceAccount": CICD }, ArnLike: { "AWS:SourceArn": SourceArn } },
    };
    expect(JSON.parse(Statement!)).toEqual(expected);
    const { Policy } = await lambda().send(new GetPolicyCommand({ FunctionName }));
    expect(JSON.parse(Policy!)).toEqual({ Version: "2012-10-17", Id: "default", Statement: [expected] });
    await expect(
      lambda().send(
        new AddPermissionCommand({ FunctionName, StatementId: "s3", Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com" }),
      ),
    ).rejects.toMatchObject({ name: "ResourceConflictException" });
    await expect(lambda().send(new RemovePermissionCommand({ FunctionName, StatementId: "none" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    await lambda().send(new RemovePermissionCommand({ FunctionName, StatementId: "s3" }));
    await expect(lambda().send(new GetPolicyCommand({ FunctionName }))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("layers", () => {
  const publish = async (files: Readonly<Record<string, string>>, LayerName = fresh("layer")) =>
    (
      await lambda().send(
        new PublishLayerVersionCommand({ LayerName, Content: { ZipFile: zip(files) }, CompatibleRuntimes: ["nodejs24.x"] }),
      )
    ).LayerVersionArn!;

  test("give modules, and files under /opt", async () => {
    const modules = await publish({ "nodejs/node_modules/shared/index.js": "module.exports = 'shared module';", "data.txt": "below" });
    const data = await publish({ "data.txt": "above", "python/shared.py": "value = 'shared module'" });
    const js = await create(
      {
        "index.js":
          "const shared = require('shared'); const { readFileSync } = require('node:fs'); exports.handler = async () => [shared, readFileSync('/opt/data.txt', 'utf8')];",
      },
      { Layers: [modules, data] },
    );
    expect((await invoke(js)).payload).toEqual(["shared module", "above"]);
    const py = await create(
      { "index.py": "import shared\ndef handler(event, context):\n    return [shared.value, open('/opt/data.txt').read()]" },
      { Runtime: "python3.13", Layers: [data] },
    );
    expect((await invoke(py)).payload).toEqual(["shared module", "above"]);
  });

  test("have versions that are counted, and serve functions after they are deleted", async () => {
    const name = fresh("layer");
    const [first, second] = [await publish({ a: "1" }, name), await publish({ a: "2" }, name)];
    expect([first, second]).toEqual([1, 2].map((version) => `arn:aws:lambda:${REGION}:${CICD}:layer:${name}:${version}`));
    const user = await node("return (await import('node:fs')).readFileSync('/opt/a', 'utf8');", { Layers: [second] });
    await lambda().send(new DeleteLayerVersionCommand({ LayerName: name, VersionNumber: 2 }));
    await expect(lambda().send(new GetLayerVersionCommand({ LayerName: name, VersionNumber: 2 }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    expect((await invoke(user)).payload).toBe("2");
    expect(await publish({ a: "3" }, name)).toMatch(/:3$/);
    expect((await lambda().send(new ListLayerVersionsCommand({ LayerName: name }))).LayerVersions!.map(({ Version }) => Version)).toEqual([
      3, 1,
    ]);
    expect((await lambda().send(new ListLayersCommand({}))).Layers).toContainEqual(
      expect.objectContaining({ LayerName: name, LatestMatchingVersion: expect.objectContaining({ Version: 3 }) }),
    );
  });
});

test("everything is there after a restart", async () => {
  const name = await create({}, { Code: { ZipFile: code("still here") }, Role: await role() });
  await accounts.restart();
  expect((await invoke(name)).payload).toBe("still here");
});
