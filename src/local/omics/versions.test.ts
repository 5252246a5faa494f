import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inputMembers } from "../../model/request.ts";
import { CICD } from "../testing/accounts.ts";
import { gitRepository } from "../testing/git-repository.ts";
import { openBoto, pythonWithBoto3, type Boto, type BotoAnswer } from "./testing/boto.ts";
import { openLab, zipOf, type OmicsLab } from "./testing/omics.ts";

// CreateWorkflowVersion by table: one row for each of its parameters, sent by boto3.

const python = pythonWithBoto3();

const WDL = `version 1.1
workflow Hello {
  input { String name = "you" }
  call greet { input: name = name }
  output { String said = greet.said }
}
task greet { input { String name } command <<< echo "hello ~{name}" >>> output { String said = read_string(stdout()) } }`;

const base64 = (files: Readonly<Record<string, string>>): string => Buffer.from(zipOf(files)).toString("base64");
const ZIP = base64({ "main.wdl": WDL });
const TWO = base64({ "main.wdl": WDL, "other.wdl": WDL.replaceAll("Hello", "Other") });

const MAP = { registryMappings: [{ upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" }] };
const TEMPLATE = { name: { description: "whom to greet", optional: true } };
const CONNECTION = `arn:aws:codeconnections:us-east-1:${CICD}:connection/1`;

interface Row {
  readonly parameter: string;
  /** What is sent beside workflowId, versionName and, unless `definition` says otherwise, definitionZip. */
  readonly sent: Readonly<Record<string, unknown>>;
  readonly definition?: "none";
  /** What GetWorkflowVersion gives back. */
  readonly got: Readonly<Record<string, unknown>>;
  readonly refused: readonly (readonly [Readonly<Record<string, unknown>>, string, RegExp])[];
}

const invalid = (sent: Readonly<Record<string, unknown>>, message: RegExp) => [sent, "ValidationException", message] as const;
const long = (length: number): string => "x".repeat(length);

const origin = gitRepository({
  "main.wdl": WDL,
  "README.md": "# root",
  "docs.md": "# docs",
  "template.json": JSON.stringify(TEMPLATE),
  "tests/x.wdl": "not wdl",
});
origin.git("tag", "v1");
origin.commit({ "README.md": "# second" }, "second");
afterAll(() => origin[Symbol.dispose]());

const fromRepository = { connectionArn: CONNECTION, fullRepositoryId: origin.url, sourceReference: { type: "TAG", value: "v1" } };

const ROWS: readonly Row[] = [
  {
    parameter: "accelerators",
    sent: { accelerators: "GPU" },
    got: { accelerators: "GPU" },
    refused: [invalid({ accelerators: "TPU" }, /enum value set: \[GPU\]/)],
  },
  {
    parameter: "containerRegistryMap",
    sent: { containerRegistryMap: MAP },
    got: { containerRegistryMap: MAP },
    refused: [
      invalid({ containerRegistryMap: MAP, containerRegistryMapUri: "s3://lab-bucket/map.json" }, /Only one of containerRegistryMap/),
      invalid(
        { containerRegistryMap: { registryMappings: [{ ...MAP.registryMappings[0], upstreamRepositoryPrefix: long(31) }] } },
        /upstreamRepositoryPrefix' failed.*less than or equal to 30/,
      ),
    ],
  },
  {
    parameter: "containerRegistryMapUri",
    sent: { containerRegistryMapUri: "s3://lab-bucket/map.json" },
    got: { containerRegistryMap: MAP },
    refused: [invalid({ containerRegistryMapUri: `s3://b/${long(750)}` }, /length less than or equal to 750/)],
  },
  {
    parameter: "definitionRepository",
    definition: "none",
    sent: { definitionRepository: { ...fromRepository, excludeFilePatterns: ["tests/"] } },
    got: { definitionRepositoryDetails: fromRepository, main: "main.wdl", readmePath: "README.md" },
    refused: [
      invalid({ definitionZip: ZIP, definitionRepository: fromRepository }, /Only one of definitionZip/),
      invalid({ definitionZip: undefined, definitionRepository: { ...fromRepository, connectionArn: "arn:x" } }, /connectionArn' failed/),
      invalid(
        { definitionZip: undefined, definitionRepository: { ...fromRepository, fullRepositoryId: "alone" } },
        /fullRepositoryId' failed/,
      ),
      invalid(
        { definitionZip: undefined, definitionRepository: { ...fromRepository, sourceReference: { type: "HEAD", value: "x" } } },
        /enum value set: \[BRANCH, TAG, COMMIT\]|'definitionRepository\.sourceReference\.type' failed/,
      ),
      invalid(
        {
          definitionZip: undefined,
          definitionRepository: { ...fromRepository, excludeFilePatterns: Array.from({ length: 51 }, () => "x") },
        },
        /excludeFilePatterns' failed.*less than or equal to 50/,
      ),
    ],
  },
  {
    parameter: "definitionUri",
    definition: "none",
    sent: { definitionUri: "s3://lab-bucket/hello.zip" },
    got: { main: "main.wdl", engine: "WDL" },
    refused: [invalid({ definitionUri: `s3://b/${long(256)}` }, /length less than or equal to 256/)],
  },
  {
    parameter: "definitionZip",
    sent: {},
    got: { main: "main.wdl", engine: "WDL" },
    refused: [
      invalid({ definitionZip: undefined }, /One of definitionZip/),
      invalid({ definitionZip: Buffer.alloc(4_400_001).toString("base64") }, /4400000 are the most/),
    ],
  },
  {
    parameter: "description",
    sent: { description: "greets" },
    got: { description: "greets" },
    refused: [
      invalid({ description: long(257) }, /'description' failed/),
      invalid({ description: "a\tb" }, /'description' failed.*pattern/),
    ],
  },
  {
    parameter: "engine",
    sent: { engine: "WDL_LENIENT" },
    got: { engine: "WDL_LENIENT" },
    refused: [invalid({ engine: "SNAKEMAKE" }, /'engine' failed/)],
  },
  {
    parameter: "main",
    sent: { definitionZip: TWO, main: "other.wdl" },
    got: { main: "other.wdl" },
    refused: [invalid({ main: long(129) }, /'main' failed/)],
  },
  {
    parameter: "parameterTemplate",
    sent: { parameterTemplate: TEMPLATE },
    got: { parameterTemplate: TEMPLATE },
    refused: [
      invalid({ parameterTemplate: { name: { description: "a\tb" } } }, /'parameterTemplate\.name\.member\.description' failed/),
      invalid(
        {
          parameterTemplate: TEMPLATE,
          parameterTemplatePath: "template.json",
          definitionZip: undefined,
          definitionRepository: fromRepository,
        },
        /Only one of parameterTemplate/,
      ),
      [
        { parameterTemplate: Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`p${index}`, {}])) },
        "ServiceQuotaExceededException",
        /1000 parameters/,
      ],
    ],
  },
  {
    parameter: "parameterTemplatePath",
    definition: "none",
    sent: { definitionRepository: fromRepository, parameterTemplatePath: "template.json" },
    got: { parameterTemplate: TEMPLATE },
    refused: [
      invalid({ parameterTemplatePath: "template.json" }, /only together with definitionRepository/),
      invalid({ parameterTemplatePath: long(129) }, /'parameterTemplatePath' failed/),
    ],
  },
  {
    parameter: "readmeMarkdown",
    sent: { readmeMarkdown: "# hello" },
    got: { readme: "# hello" },
    refused: [
      invalid({ readmeMarkdown: long(512_001) }, /500 KiB/),
      invalid({ readmeMarkdown: "# a", readmeUri: "s3://lab-bucket/README.md" }, /Only one of readmeMarkdown/),
    ],
  },
  {
    parameter: "readmePath",
    definition: "none",
    sent: { definitionRepository: fromRepository, readmePath: "docs.md" },
    got: { readme: "# docs", readmePath: "docs.md" },
    refused: [
      invalid({ readmePath: "docs.md" }, /only together with definitionRepository/),
      invalid({ readmePath: long(129) }, /'readmePath' failed/),
    ],
  },
  {
    parameter: "readmeUri",
    sent: { readmeUri: "s3://lab-bucket/README.md" },
    got: { readme: "# from S3" },
    refused: [invalid({ readmeUri: "README.md" }, /'readmeUri' failed/)],
  },
  { parameter: "requestId", sent: { requestId: "mine" }, got: {}, refused: [invalid({ requestId: long(129) }, /'requestId' failed/)] },
  {
    parameter: "storageCapacity",
    sent: { storageCapacity: 1500 },
    got: { storageCapacity: 2400 },
    refused: [invalid({ storageCapacity: 100_001 }, /'storageCapacity' failed/)],
  },
  {
    parameter: "storageType",
    sent: { storageType: "DYNAMIC" },
    got: { storageType: "DYNAMIC" },
    refused: [invalid({ storageType: "TAPE" }, /'storageType' failed/)],
  },
  {
    parameter: "tags",
    sent: { tags: { Team: "A" } },
    got: { tags: { Team: "A" } },
    refused: [
      invalid({ tags: { "aws:x": "y" } }, /reserved/),
      invalid({ tags: { "a*b": "y" } }, /characters that tags can't have/),
      invalid({ tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, "v"])) }, /50 tags at most/),
    ],
  },
  {
    parameter: "versionName",
    sent: { versionName: "1.0.0-rc.1_x" },
    got: { versionName: "1.0.0-rc.1_x" },
    refused: [invalid({ versionName: "-1" }, /'versionName' failed/), invalid({ versionName: long(65) }, /less than or equal to 64/)],
  },
  {
    parameter: "workflowBucketOwnerId",
    definition: "none",
    sent: { definitionUri: "s3://lab-bucket/hello.zip", workflowBucketOwnerId: CICD },
    got: { workflowBucketOwnerId: CICD },
    refused: [
      invalid({ workflowBucketOwnerId: "1" }, /'workflowBucketOwnerId' failed/),
      invalid({ workflowBucketOwnerId: CICD }, /only together with definitionUri/),
    ],
  },
  {
    parameter: "workflowId",
    sent: {},
    got: {},
    refused: [
      [{ workflowId: "9999999" }, "ResourceNotFoundException", /^Workflow 9999999 not found$/],
      invalid({ workflowId: "x" }, /'workflowId' failed/),
    ],
  },
];

describe.skipIf(python === undefined)("CreateWorkflowVersion, sent by boto3", () => {
  let lab: OmicsLab;
  let boto: Boto;
  let workflowId: string;
  let count = 0;
  beforeAll(async () => {
    lab = await openLab();
    boto = openBoto(python ?? "", lab.config);
    workflowId = await lab.workflow({ "main.wdl": WDL });
    await lab.put("map.json", JSON.stringify(MAP));
    await lab.put("README.md", "# from S3");
    await lab.s3.send(new PutObjectCommand({ Bucket: lab.bucket, Key: "hello.zip", Body: zipOf({ "main.wdl": WDL }) }));
  }, 120_000);
  afterAll(async () => {
    boto[Symbol.dispose]();
    await lab[Symbol.asyncDispose]();
  });

  /** A request of a row; a member that is undefined is left out. */
  const request = (row: Pick<Row, "sent" | "definition">): Record<string, unknown> => {
    const whole: Record<string, unknown> = {
      workflowId,
      versionName: `v${++count}`,
      ...(row.definition !== "none" && { definitionZip: ZIP }),
      ...row.sent,
    };
    return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
  };

  async function created(input: Readonly<Record<string, unknown>>): Promise<BotoAnswer> {
    const { output, status, error } = await boto.send("create_workflow_version", input);
    expect([status, error]).toEqual([201, undefined]);
    expect(output).toMatchObject({ status: "CREATING", workflowId, versionName: input["versionName"] });
    const named = { workflowId, versionName: input["versionName"] };
    expect(await boto.send("wait:workflow_version_active", named)).toEqual({ output: {} });
    return boto.send("get_workflow_version", { ...named, export: ["README"] });
  }

  test.each(ROWS)("$parameter: accepted, and read back", async (row) => {
    const { output = {} } = await created(request(row));
    const { readme } = output;
    const text = typeof readme === "string" ? await (await fetch(readme)).text() : undefined;
    expect({ ...output, ...(text !== undefined && { readme: text }) }).toMatchObject({ status: "ACTIVE", ...row.got });
  });

  test.each(ROWS.flatMap((row) => row.refused.map(([sent, code, message]) => ({ parameter: row.parameter, sent, code, message }))))(
    "$parameter: refused with $code $message",
    async ({ sent, code, message }) => {
      expect(await boto.send("create_workflow_version", request({ sent }))).toMatchObject({
        error: { code, message: expect.stringMatching(message) },
      });
    },
  );

  test("a name that is taken conflicts; the same request does not", async () => {
    const input = { ...request({ sent: {} }), requestId: "again" };
    await created(input);
    expect(await boto.send("create_workflow_version", input)).toMatchObject({ status: 201 });
    expect(await boto.send("create_workflow_version", { ...input, requestId: "other" })).toMatchObject({
      error: { code: "ConflictException", status: 409 },
    });
  });

  test("every parameter of the model has its row", () => {
    expect(ROWS.map(({ parameter }) => parameter).toSorted()).toEqual(Object.keys(inputMembers("CreateWorkflowVersion")).toSorted());
  });

  test("a definition in a bucket of somebody else fails the version", async () => {
    const input = request({
      definition: "none",
      sent: { definitionUri: "s3://lab-bucket/hello.zip", workflowBucketOwnerId: "444455556666" },
    });
    await boto.send("create_workflow_version", input);
    const named = { workflowId, versionName: input["versionName"] };
    expect(await boto.send("wait:workflow_version_active", named)).toMatchObject({ error: { code: "WaiterError" } });
    expect(await boto.send("get_workflow_version", named)).toMatchObject({
      output: {
        status: "FAILED",
        statusMessage: expect.stringMatching(/^AccessDenied: .*444455556666/),
        workflowBucketOwnerId: "444455556666",
      },
    });
    expect(await boto.send("start_run", { ...runOf(input), parameters: {} })).toMatchObject({ error: { code: "ConflictException" } });
  });

  const runOf = (input: Readonly<Record<string, unknown>>) => ({
    workflowId,
    workflowVersionName: input["versionName"],
    roleArn: lab.roleArn,
    outputUri: "s3://lab-bucket/runs",
  });

  /** A run of a version as it is at its end. */
  async function ran(input: Readonly<Record<string, unknown>>, parameters: object): Promise<Readonly<Record<string, unknown>>> {
    const { output, error } = await boto.send("start_run", { ...runOf(input), parameters });
    expect(error).toBeUndefined();
    return { ...(await lab.ended(String(output?.["id"]))) };
  }

  describe("what a version says takes effect on its run", () => {
    test("main, definitionZip, parameterTemplate, storageCapacity, workflowId, versionName", { timeout: 120_000 }, async () => {
      const input = request({ sent: { definitionZip: TWO, main: "other.wdl", storageCapacity: 3000, parameterTemplate: TEMPLATE } });
      await created(input);
      expect(await boto.send("start_run", { ...runOf(input), parameters: { other: 1 } })).toMatchObject({
        error: { code: "ValidationException" },
      });
      const run = await ran(input, { name: "boto" });
      expect(run).toMatchObject({
        status: "COMPLETED",
        workflowId,
        storageType: "STATIC",
        storageCapacity: 4800,
        workflowVersionName: input["versionName"],
      });
      expect(JSON.parse(await lab.get(`runs/${String(run["id"])}/logs/outputs.json`))).toEqual({ "Other.said": "hello boto" });
    });

    test(
      "definitionUri, engine, accelerators, storageType; not description, tags, readmeMarkdown, requestId",
      { timeout: 120_000 },
      async () => {
        await lab.s3.send(
          new PutObjectCommand({
            Bucket: lab.bucket,
            Key: "lenient.zip",
            Body: zipOf({ "main.wdl": WDL.replace('String name = "you"', "String name = 5") }),
          }),
        );
        const plain = { description: "greets", tags: { Team: "A" }, readmeMarkdown: "# hello", requestId: "effects" };
        const sent = {
          definitionUri: "s3://lab-bucket/lenient.zip",
          workflowBucketOwnerId: CICD,
          engine: "WDL_LENIENT",
          accelerators: "GPU",
          storageType: "DYNAMIC",
          ...plain,
        };
        const input = request({ definition: "none", sent });
        await created(input);
        const run = await ran(input, {});
        expect(run).toMatchObject({
          status: "COMPLETED",
          accelerators: "GPU",
          storageType: "DYNAMIC",
          tags: expect.not.objectContaining({ Team: "A" }),
        });
        expect(JSON.parse(await lab.get(`runs/${String(run["id"])}/logs/outputs.json`))).toEqual({ "Hello.said": "hello 5" });
        const { uuid } = await lab.settledVersion(workflowId, String(input["versionName"]));
        expect(run["workflowUuid"]).toBe(uuid);
      },
    );

    test("definitionRepository, parameterTemplatePath; not readmePath", { timeout: 120_000 }, async () => {
      const input = request({
        definition: "none",
        sent: { definitionRepository: fromRepository, parameterTemplatePath: "template.json", readmePath: "docs.md" },
      });
      await created(input);
      expect(await boto.send("start_run", { ...runOf(input), parameters: { other: 1 } })).toMatchObject({
        error: { code: "ValidationException" },
      });
      expect(await ran(input, { name: "git" })).toMatchObject({ status: "COMPLETED" });
    });

    test.each([{ containerRegistryMap: MAP }, { containerRegistryMapUri: "s3://lab-bucket/map.json" }])(
      "%j decides where images come from; readmeUri nothing",
      { timeout: 120_000 },
      async (map) => {
        const definitionZip = base64({
          "main.wdl": WDL.replace("output { String said = read", 'runtime { docker: "quay.io/bio/none:1" } output { String said = read'),
        });
        const input = request({ sent: { definitionZip, readmeUri: "s3://lab-bucket/README.md", ...map } });
        await created(input);
        expect(await ran(input, {})).toMatchObject({
          failureReason: "IMAGE_VERIFICATION_FAILURE",
          statusMessage: expect.stringContaining(`${CICD}.dkr.ecr.us-east-1.amazonaws.com/quay/bio/none:1 can't be found in ECR`),
        });
      },
    );
  });
});
