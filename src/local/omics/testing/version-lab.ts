import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { CICD } from "../../testing/accounts.ts";
import { gitRepository } from "../../testing/git-repository.ts";
import { openBoto, type Boto, type BotoAnswer } from "./boto.ts";
import { openLab, zipOf, type OmicsLab } from "./omics.ts";

export const WDL = `version 1.1
workflow Hello {
  input { String name = "you" }
  call greet { input: name = name }
  output { String said = greet.said }
}
task greet { input { String name } command <<< echo "hello ~{name}" >>> output { String said = read_string(stdout()) } }`;

/** A definition as boto3 sends it. */
export const base64 = (files: Readonly<Record<string, string>>): string => Buffer.from(zipOf(files)).toString("base64");
export const ZIP = base64({ "main.wdl": WDL });
/** Two workflows: `main` has to say which. */
export const TWO = base64({ "main.wdl": WDL, "other.wdl": WDL.replaceAll("Hello", "Other") });

export const MAP = { registryMappings: [{ upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" }] };
export const TEMPLATE = { name: { description: "whom to greet", optional: true } };
const CONNECTION = `arn:aws:codeconnections:us-east-1:${CICD}:connection/1`;

/** A Git repository with a workflow at the tag v1 and a commit after it, and what CreateWorkflowVersion says to read the tag. */
export function versionSource() {
  const origin = gitRepository({
    "main.wdl": WDL,
    "README.md": "# root",
    "docs.md": "# docs",
    "template.json": JSON.stringify(TEMPLATE),
    "tests/x.wdl": "not wdl",
  });
  origin.git("tag", "v1");
  origin.commit({ "README.md": "# second" }, "second");
  const fromRepository = { connectionArn: CONNECTION, fullRepositoryId: origin.url, sourceReference: { type: "TAG", value: "v1" } };
  return { fromRepository, [Symbol.dispose]: () => origin[Symbol.dispose]() };
}

export type FromRepository = ReturnType<typeof versionSource>["fromRepository"];

type Request = Readonly<Record<string, unknown>>;

/** What is sent beside workflowId, versionName and, unless `definition` says otherwise, definitionZip. */
export interface Sent {
  readonly sent: Request;
  readonly definition?: "none";
}

/** An Omics lab with a workflow, and boto3 to send CreateWorkflowVersion for it. */
export interface VersionLab extends AsyncDisposable {
  readonly lab: OmicsLab;
  readonly boto: Boto;
  readonly workflowId: string;
  /** A request for a version with a name of its own; a member that is undefined is left out. */
  request(given: Sent): Record<string, unknown>;
  /** Makes a version that becomes ACTIVE; gives what GetWorkflowVersion says of it. */
  created(input: Request): Promise<BotoAnswer>;
  /** StartRun's request for a run of a version. */
  runOf(input: Request): Record<string, unknown>;
  /** A run of a version as it is at its end. */
  ran(input: Request, parameters: object): Promise<Request>;
}

export async function openVersionLab(python: string): Promise<VersionLab> {
  const lab = await openLab();
  const boto = openBoto(python, lab.config);
  const workflowId = await lab.workflow({ "main.wdl": WDL });
  await lab.put("map.json", JSON.stringify(MAP));
  await lab.put("README.md", "# from S3");
  await lab.s3.send(new PutObjectCommand({ Bucket: lab.bucket, Key: "hello.zip", Body: zipOf({ "main.wdl": WDL }) }));
  let count = 0;
  const runOf: VersionLab["runOf"] = (input) => ({
    workflowId,
    workflowVersionName: input["versionName"],
    roleArn: lab.roleArn,
    outputUri: "s3://lab-bucket/runs",
  });
  return {
    lab,
    boto,
    workflowId,
    runOf,
    request({ sent, definition }) {
      count += 1;
      const own = { workflowId, versionName: `v${count}`, ...(definition !== "none" && { definitionZip: ZIP }) };
      return Object.fromEntries(Object.entries({ ...own, ...sent }).filter(([, value]) => value !== undefined));
    },
    async created(input) {
      const { output, status, error } = await boto.send("create_workflow_version", input);
      expect([status, error]).toEqual([201, undefined]);
      expect(output).toMatchObject({ status: "CREATING", workflowId, versionName: input["versionName"] });
      const named = { workflowId, versionName: input["versionName"] };
      expect(await boto.send("wait:workflow_version_active", named)).toEqual({ output: {} });
      return boto.send("get_workflow_version", { ...named, export: ["README"] });
    },
    async ran(input, parameters) {
      const { output, error } = await boto.send("start_run", { ...runOf(input), parameters });
      expect(error).toBeUndefined();
      return { ...(await lab.ended(String(output?.["id"]))) };
    },
    async [Symbol.asyncDispose]() {
      boto[Symbol.dispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}
