import { request } from "node:http";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CodeCommitClient, CreateRepositoryCommand } from "@aws-sdk/client-codecommit";
import { CreateRepositoryCommand as CreateImageRepositoryCommand, ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";

// A page in a browser of this machine reaches the port, under whatever name was made to point here, and has no key.

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
  const s3 = new S3Client(accounts.config());
  await s3.send(new CreateBucketCommand({ Bucket: "reads" }));
  await s3.send(new PutObjectCommand({ Bucket: "reads", Key: "a.txt", Body: "not for you" }));
  await new CodeCommitClient(accounts.config()).send(new CreateRepositoryCommand({ repositoryName: "flow" }));
  await new ECRClient(accounts.config()).send(new CreateImageRepositoryCommand({ repositoryName: "tool" }));
});
afterAll(() => accounts[Symbol.asyncDispose]());

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** As a page of evil.example that its own name brought here; fetch sets Host itself. */
const ask = ({ method, path, headers = {} }: Asked) =>
  new Promise<{ readonly status: number; readonly opened: unknown }>((resolve, reject) => {
    const asked = { host: "evil.example", origin: "http://evil.example", "content-type": "text/plain", ...headers };
    request(new URL(accounts.url), { method, path, headers: asked }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, opened: response.headers["access-control-allow-origin"] });
    })
      .on("error", reject)
      .end(method.startsWith("P") ? "{}" : undefined);
  });

test.each([
  ["the list of buckets", { method: "GET", path: "/" }, 403],
  ["a bucket", { method: "GET", path: "/reads?list-type=2" }, 403],
  ["an object", { method: "GET", path: "/reads/a.txt" }, 403],
  ["a write", { method: "PUT", path: "/reads/a.txt" }, 403],
  [
    "a browser's question before a write",
    { method: "OPTIONS", path: "/reads/a.txt", headers: { "access-control-request-method": "PUT" } },
    501,
  ],
  ["a service by its header", { method: "POST", path: "/", headers: { "x-amz-target": "AWSStepFunctions.ListStateMachines" } }, 501],
  ["a service that nobody has", { method: "POST", path: "/", headers: signedFor("__proto__") }, 501],
  ["a signature by a key that nobody has", { method: "POST", path: "/", headers: signedFor("states") }, 400],
  ["the registry", { method: "GET", path: "/v2/" }, 401],
  ["an image", { method: "GET", path: "/v2/111122223333/us-east-1/tool/tags/list" }, 401],
  ["a layer", { method: "GET", path: "/ecr-layers/x" }, 403],
  ["a repository", { method: "GET", path: "/v1/repos/flow/info/refs?service=git-upload-pack" }, 401],
  ["a repository by a way round", { method: "GET", path: "/v1/repos/..%2f..%2fstate.sqlite/info/refs" }, 401],
  ["work of a function", { method: "GET", path: "/_lambda/0a/2018-06-01/runtime/invocation/next" }, 403],
  ["code of a function", { method: "GET", path: "/_lambda/code/0a" }, 403],
  ["an answer of a custom resource", { method: "PUT", path: "/cloudformation-responses/a/undefined" }, 403],
  ["a definition", { method: "GET", path: "/omics-exports/a.b" }, 403],
])("nobody without a key gets %s", async (_what, asked, status) => {
  expect(await ask(asked)).toEqual({ status, opened: undefined });
});

function signedFor(service: string): Readonly<Record<string, string>> {
  const date = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  return {
    "x-amz-date": date,
    authorization: `AWS4-HMAC-SHA256 Credential=AKIA0/${date.slice(0, 8)}/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=00`,
  };
}
