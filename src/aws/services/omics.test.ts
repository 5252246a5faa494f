import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { CreateWorkflowCommand, CreateWorkflowVersionCommand } from "@aws-sdk/client-omics";
import { expect, test } from "vitest";
import { omics } from "./omics.ts";

test("a registry map reaches HealthOmics with the secrets of its registries", async () => {
  const bodies: string[] = [];
  const lengths: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    lengths.push(request.headers["content-length"]);
    bodies.push(await text(request));
    response.setHeader("content-type", "application/json").end("{}");
  }).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const client = omics({
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" },
    });
    const plain = { upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" };
    const withSecret = {
      upstreamRegistryUrl: "nvcr.io",
      ecrRepositoryPrefix: "nvcr",
      credentialArn: "arn:aws:secretsmanager:us-east-1:111122223333:secret:nvcr-AbCdEf",
    };
    const map = { registryMappings: [plain, withSecret], imageMappings: [{ sourceImage: "tool:é", destinationImage: "tool:1" }] };
    await client.send(
      new CreateWorkflowCommand({ requestId: "one", name: "demo", definitionZip: new Uint8Array([1, 2, 3]), containerRegistryMap: map }),
    );
    await client.send(
      new CreateWorkflowVersionCommand({ requestId: "two", workflowId: "1", versionName: "1.0.0", containerRegistryMap: map }),
    );
    await client.send(new CreateWorkflowCommand({ requestId: "three", containerRegistryMap: { registryMappings: [plain] } }));
    client.destroy();
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      { requestId: "one", name: "demo", definitionZip: "AQID", containerRegistryMap: map },
      { requestId: "two", versionName: "1.0.0", containerRegistryMap: map },
      { requestId: "three", containerRegistryMap: { registryMappings: [plain] } },
    ]);
    expect(lengths).toEqual(bodies.map((body) => String(Buffer.byteLength(body))));
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
