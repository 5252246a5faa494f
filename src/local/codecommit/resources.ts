import type { Readable } from "node:stream";
import yauzl from "yauzl";
import type { ResourceProvider, ResourceRequest } from "../cloudformation/resource-provider.ts";
import { tagsOf } from "../cloudformation/resource-provider.ts";
import { readBody } from "../gateway/read-body.ts";

const repository: ResourceProvider = {
  type: "AWS::CodeCommit::Repository",
  properties: {
    RepositoryName: "string",
    RepositoryDescription: "string",
    Tags: [{ Key: "string", Value: "string" }],
    KmsKeyId: "string",
    Code: { S3: { Bucket: "string", Key: "string", ObjectVersion: "string" }, BranchName: "string" },
  },
  required: ["RepositoryName"],
  replaceOn: ["RepositoryName"],
  attributes: ["Arn", "Name", "CloneUrlHttp", "CloneUrlSsh"],
  async create(request) {
    const repositoryName = request.properties["RepositoryName"] as string;
    const tags = Object.fromEntries(tagsOf(request).map(({ Key, Value }) => [Key, Value]));
    await request
      .call("codecommit", "CreateRepository", { repositoryName, repositoryDescription: request.properties["RepositoryDescription"], tags })
      .catch((error: { code?: string }) => {
        if (!request.resumed || error.code !== "RepositoryNameExistsException") throw error;
      });
    const made = await state(request, repositoryName);
    request.announce(made.physicalId);
    await addCode(request, repositoryName);
    return made;
  },
  async update(request) {
    const repositoryName = request.properties["RepositoryName"] as string;
    await request.call("codecommit", "UpdateRepositoryDescription", {
      repositoryName,
      repositoryDescription: request.properties["RepositoryDescription"],
    });
    return state(request, repositoryName);
  },
  delete: (request) =>
    request.call("codecommit", "DeleteRepository", { repositoryName: request.properties["RepositoryName"] }).then(() => undefined),
};

export const codecommitResources: readonly ResourceProvider[] = [repository];

async function state(request: ResourceRequest, repositoryName: string) {
  const { repositoryMetadata: found } = await request.call<{
    repositoryMetadata: { repositoryId: string; Arn: string; cloneUrlHttp: string };
  }>("codecommit", "GetRepository", { repositoryName });
  return {
    physicalId: found.repositoryId,
    attributes: {
      Arn: found.Arn,
      Name: repositoryName,
      CloneUrlHttp: found.cloneUrlHttp,
      CloneUrlSsh: found.cloneUrlHttp.replace(/^http/, "ssh"),
    },
  };
}

interface Code {
  readonly S3?: { readonly Bucket?: string; readonly Key?: string; readonly ObjectVersion?: string };
  readonly BranchName?: string;
}

const LIMIT_BYTES = 256 * 1024 ** 2;

/** The files of a ZIP as the first commit; `Code` is looked at when the repository is made, and never again. */
async function addCode(request: ResourceRequest, repositoryName: string): Promise<void> {
  const { S3: place, BranchName: branchName = "main" } = (request.properties["Code"] ?? {}) as Code;
  if (!place) return;
  const { Body } = await request.call<{ Body: Readable }>("s3", "GetObject", {
    Bucket: place.Bucket,
    Key: place.Key,
    ...(place.ObjectVersion && { VersionId: place.ObjectVersion }),
  });
  const putFiles = await filesOf(await readBody(Body, LIMIT_BYTES));
  await request
    .call("codecommit", "CreateCommit", {
      repositoryName,
      branchName,
      putFiles,
      commitMessage: "Initial commit by AWS CloudFormation",
      authorName: "AWS CloudFormation",
    })
    .catch((error: { code?: string }) => {
      if (!request.resumed || error.code !== "ParentCommitIdRequiredException") throw error;
    });
}

async function filesOf(archive: Buffer): Promise<readonly object[]> {
  const zip = await yauzl.fromBufferPromise(archive, { lazyEntries: true });
  const files: object[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith("/")) continue;
      const fileMode = ((entry.externalFileAttributes >>> 16) & 0o111) === 0 ? "NORMAL" : "EXECUTABLE";
      files.push({ filePath: entry.fileName, fileMode, fileContent: await readBody(await zip.openReadStreamPromise(entry), LIMIT_BYTES) });
    }
    return files;
  } finally {
    zip.close();
  }
}
