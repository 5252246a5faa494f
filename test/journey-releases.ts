import { DescribeImagesCommand, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import {
  GetRunTaskCommand,
  type GetRunTaskResponse,
  GetWorkflowVersionCommand,
  ListRunTasksCommand,
  ListWorkflowsCommand,
  ListWorkflowVersionsCommand,
  type OmicsClient,
  paginateListWorkflows,
} from "@aws-sdk/client-omics";
import { expect, vi } from "vitest";
import { type AwsClients, awsClients } from "../src/aws/clients.ts";
import { readProfile } from "../src/cli/aws/profiles.ts";
import { ecrCredentials } from "../src/oci/client/credentials.ts";
import { registryClient } from "../src/oci/client/registry-client.ts";
import { transportFor } from "../src/oci/client/transport.ts";
import { pushReferrer } from "../src/oci/testing/sample-images.ts";
import { type Clone, done, type Journey } from "./journey.ts";

/** A slow machine is no failure: each wait ends with its release. */
export const SLOW = 600_000;

interface Status {
  readonly commit: string;
  readonly pipelineExecutionId: string;
}

/** Calls the accounts of a journey as one of its people. */
export function clientsAs(journey: Journey, profile: string, region = "us-east-1"): AwsClients {
  const found = readProfile(journey.configFile, profile);
  return awsClients({ region, endpoint: journey.url, ...(found?.credentials && { credentials: found.credentials }) });
}

/** Commits and pushes a clone. @returns the id of the execution that the commit starts */
export async function pushed(journey: Journey, workflow: string, clone: Clone, message: string): Promise<string> {
  const commit = await clone.push(message);
  return vi.waitFor(
    async () => {
      const latest = done(await journey.cli.run("release", "status", workflow, "--json")).json<Status>();
      expect(latest.commit).toBe(commit);
      return latest.pipelineExecutionId;
    },
    { timeout: SLOW, interval: 300 },
  );
}

/** Attaches an SBOM to the one image of a repository of the cicd account. @returns its digest */
export async function attachSbom(journey: Journey, repositoryName: string): Promise<string> {
  const { ecr } = clientsAs(journey, "cicd");
  const token = async () => (await ecr.send(new GetAuthorizationTokenCommand({}))).authorizationData?.[0]?.authorizationToken ?? "";
  await using client = registryClient({ transport: transportFor({ ecrEndpoint: journey.url }), credentials: ecrCredentials(token) });
  const repository = client.repository({ registry: "111122223333.dkr.ecr.us-east-1.amazonaws.com", repository: repositoryName });
  const { imageDetails: [image] = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName }));
  const stored = await repository.getManifest(image?.imageDigest ?? "");
  const subject = { mediaType: stored!.mediaType, digest: stored!.digest, size: stored!.bytes.length };
  return (await pushReferrer(repository, subject, { artifactType: "application/spdx+json", content: Buffer.from("{}\n") })).digest;
}

/** The ACTIVE versions of a workflow of an account. */
export async function versionsIn(journey: Journey, profile: string, name: string): Promise<readonly string[]> {
  const { omics } = clientsAs(journey, profile);
  for await (const page of paginateListWorkflows({ client: omics }, { type: "PRIVATE" }))
    for (const workflow of page.items ?? []) {
      if (workflow.name !== name) continue;
      const { items = [] } = await omics.send(new ListWorkflowVersionsCommand({ workflowId: workflow.id }));
      return items
        .filter(({ status }) => status === "ACTIVE")
        .map(({ versionName = "" }) => versionName)
        .sort();
    }
  return [];
}

/** What version 1.0.0 of production in another region runs with: HealthOmics there reads its own region alone. */
export async function imagesIn(journey: Journey, region: string, name: string): Promise<readonly (string | undefined)[]> {
  const { omics } = clientsAs(journey, "production", region);
  const { items = [] } = await omics.send(new ListWorkflowsCommand({ type: "PRIVATE", name }));
  const { containerRegistryMap } = await omics.send(new GetWorkflowVersionCommand({ workflowId: items[0]?.id, versionName: "1.0.0" }));
  return (containerRegistryMap?.imageMappings ?? []).map(({ destinationImage }) => destinationImage);
}

/** The tasks of a run. */
export async function tasksOf(omics: OmicsClient, id: string): Promise<readonly GetRunTaskResponse[]> {
  const { items = [] } = await omics.send(new ListRunTasksCommand({ id }));
  return await Promise.all(items.map(({ taskId }) => omics.send(new GetRunTaskCommand({ id, taskId }))));
}
