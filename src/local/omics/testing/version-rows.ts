import { CICD } from "../../testing/accounts.ts";
import { type FromRepository, MAP, type Sent, TEMPLATE, TWO, ZIP } from "./version-lab.ts";

/** A parameter of CreateWorkflowVersion. */
export interface Row extends Sent {
  readonly parameter: string;
  /** What GetWorkflowVersion gives back. */
  readonly got: Readonly<Record<string, unknown>>;
  readonly refused: readonly (readonly [Readonly<Record<string, unknown>>, string, RegExp])[];
}

const invalid = (sent: Readonly<Record<string, unknown>>, message: RegExp) => [sent, "ValidationException", message] as const;
const long = (length: number): string => "x".repeat(length);

/** One row for each parameter. */
export const versionRows = (fromRepository: FromRepository): readonly Row[] => [
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
