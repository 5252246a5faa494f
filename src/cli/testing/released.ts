import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateWorkflowCommand,
  CreateWorkflowVersionCommand,
  GetWorkflowCommand,
  OmicsClient,
  type RegistryMapping,
} from "@aws-sdk/client-omics";
import { zipSync } from "fflate";
import { systemClock } from "../../kit/clock.ts";
import { CICD, REGION, type TestAccounts } from "../../local/testing/accounts.ts";
import type { ContainersLock } from "../../release/images/lock/lock.ts";
import { describeContent, handOver, type ReleaseRecord } from "../../release/promote/bundle.ts";

interface Mapped {
  readonly image: string;
  readonly target: string;
}

interface Released {
  readonly lock: ContainersLock;
  readonly workflow: string;
  /** @default - the workflow's name */
  readonly bucket?: string;
  /** What production's version maps to. @default - what the lock says */
  readonly map?: readonly Mapped[];
  /** Registries that production's version maps. @default - none */
  readonly registries?: RegistryMapping[];
  /** @default REGION */
  readonly region?: string;
}

const mappings = (images: readonly Mapped[]) => ({
  imageMappings: images.map(({ image, target }) => ({ sourceImage: image, destinationImage: target })),
});

/** A release's bundle in production's bucket, and its workflow version there, as a promotion leaves them. @returns the bundle's URI */
export async function release(
  accounts: TestAccounts,
  { lock, workflow, bucket = workflow, map = lock.images, registries, region = REGION }: Released,
): Promise<string> {
  const config = { ...accounts.config("production"), region };
  const s3 = new S3Client(config);
  await s3.send(
    new CreateBucketCommand({
      Bucket: bucket,
      ...(region !== REGION && { CreateBucketConfiguration: { LocationConstraint: region as "eu-west-1" } }),
    }),
  );
  const json = (name: string, value: unknown) => ({ name, body: JSON.stringify(value), contentType: "application/json" });
  const contents = [json("containers.lock.json", lock), json("container-registry-map.json", mappings(lock.images))];
  const record: ReleaseRecord = {
    format: 1,
    workflow,
    version: "1.0.0",
    commit: "c",
    branch: "main",
    pipelineExecutionId: "p",
    startedBy: "test",
    engine: "WDL",
    main: "main.wdl",
    tags: {},
    promote: "share",
    cicd: { account: CICD, region: REGION, workflowId: "1", versionArn: "a" },
    images: [...lock.images],
    tests: { summary: "", evidence: "" },
    approval: { by: "b", at: "", comment: "" },
    handedOverAt: "",
    files: contents.map(describeContent),
  };
  await handOver(s3, bucket, record, contents);
  const omics = new OmicsClient(config);
  const definitionZip = zipSync({ "main.wdl": Buffer.from("version 1.0\nworkflow w {}\n") });
  const { id: workflowId } = await omics.send(
    new CreateWorkflowCommand({ name: workflow, definitionZip, engine: "WDL", requestId: crypto.randomUUID() }),
  );
  while ((await omics.send(new GetWorkflowCommand({ id: workflowId }))).status === "CREATING") await systemClock.sleep(50);
  await omics.send(
    new CreateWorkflowVersionCommand({
      workflowId,
      versionName: "1.0.0",
      definitionZip,
      engine: "WDL",
      requestId: crypto.randomUUID(),
      containerRegistryMap: { ...mappings(map), ...(registries && { registryMappings: registries }) },
    }),
  );
  return `s3://${bucket}/${workflow}/1.0.0`;
}
