import {
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  ListImagesCommand,
  PutImageTagMutabilityCommand,
  PutLifecyclePolicyCommand,
} from "@aws-sdk/client-ecr";
import { sign } from "aws4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { createRepository, signIn, type RegistryUser } from "./testing/registry.ts";

let accounts: TestAccounts;
let user: RegistryUser;
beforeAll(async () => {
  accounts = await startAccounts();
  user = await signIn(accounts);
  await createRepository(user.ecr, "input/one");
});
afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

interface Refusal {
  readonly __type?: string;
  readonly message?: string;
}

/** Sends what no SDK would. */
async function send(
  operation: string,
  input: unknown,
): Promise<readonly [status: number, type: string | undefined, message: string | undefined]> {
  const { host, hostname, port } = new URL(accounts.url);
  const signed = sign(
    {
      host,
      hostname,
      port,
      method: "POST",
      path: "/",
      service: "ecr",
      region: "us-east-1",
      body: JSON.stringify(input),
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${operation}` },
    },
    accounts.config().credentials,
  );
  const answer = await fetch(accounts.url, {
    method: "POST",
    headers: signed.headers as Record<string, string>,
    body: JSON.stringify(input),
  });
  const { __type, message } = (await answer.json()) as Refusal;
  return [answer.status, __type, message];
}

const repositoryName = "input/one";
const invalid = (path: string, why: string) => [
  400,
  "InvalidParameterException",
  `Invalid parameter at '${path}' failed to satisfy constraint: '${why}'`,
];
const NAME = "must satisfy regular expression '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*'";

// Wordings of 'imageIds', 'registryIds' and 'maxResults' are ECR's own, as its users report them.
test.each<[operation: string, input: object, path: string, why: string]>([
  [
    "BatchDeleteImage",
    { repositoryName, imageIds: Array.from({ length: 101 }, () => ({ imageTag: "x" })) },
    "imageIds",
    "Member must have length less than or equal to 100",
  ],
  ["BatchGetImage", { repositoryName, imageIds: [] }, "imageIds", "Member must have length greater than or equal to 1"],
  [
    "GetAuthorizationToken",
    { registryIds: ["11112222333"] },
    "registryIds",
    "Member must satisfy constraint: [Member must satisfy regular expression pattern: [0-9]{12}]",
  ],
  ["ListImages", { repositoryName, maxResults: 1001 }, "maxResults", "Member must have value less than or equal to 1000"],
  ["DescribeImages", { repositoryName, maxResults: 0 }, "maxResults", "Member must have value greater than or equal to 1"],
  ["CreateRepository", { repositoryName: "Upper/Case" }, "repositoryName", NAME],
  ["DescribeImages", { repositoryName: "x" }, "repositoryName", "Member must have length greater than or equal to 2"],
  ["DeleteRepository", { repositoryName: "a".repeat(257) }, "repositoryName", "Member must have length less than or equal to 256"],
  ["DescribeRepositories", { repositoryNames: ["ok", "../etc"] }, "repositoryNames", `Member must satisfy constraint: [${NAME}]`],
  ["ListImages", { repositoryName, registryId: "me" }, "registryId", "Member must satisfy regular expression pattern: [0-9]{12}"],
  [
    "ListImages",
    { repositoryName, filter: { tagStatus: "SOME" } },
    "filter.tagStatus",
    "Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]",
  ],
  [
    "CreateRepository",
    { repositoryName: "new/one", imageTagMutability: "mutable" },
    "imageTagMutability",
    "Member must satisfy enum value set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]",
  ],
  [
    "CreateRepository",
    { repositoryName: "new/one", encryptionConfiguration: { encryptionType: "NONE" } },
    "encryptionConfiguration.encryptionType",
    "Member must satisfy enum value set: [AES256, KMS, KMS_DSSE]",
  ],
  ["CreateRepository", { repositoryName: "new/one", tags: [{ Key: "a" }] }, "tags.1.member.Value", "Member must not be null"],
  [
    "PutImageTagMutability",
    {
      repositoryName,
      imageTagMutability: "MUTABLE_WITH_EXCLUSION",
      imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "a b" }],
    },
    "imageTagMutabilityExclusionFilters.1.member.filter",
    "Member must satisfy regular expression pattern: [0-9a-zA-Z._*-]{1,128}",
  ],
  [
    "BatchGetImage",
    { repositoryName, imageIds: [{ imageTag: "ok" }, { imageTag: "t".repeat(301) }] },
    "imageIds.2.member.imageTag",
    "Member must have length less than or equal to 300",
  ],
  [
    "UploadLayerPart",
    { repositoryName, uploadId: "x", partFirstByte: 0, partLastByte: 0, layerPartBlob: "AA==" },
    "uploadId",
    "Member must satisfy regular expression pattern: [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
  ],
  [
    "GetDownloadUrlForLayer",
    { repositoryName, layerDigest: "latest" },
    "layerDigest",
    "Member must satisfy regular expression pattern: [a-zA-Z0-9-_+.]+:[a-fA-F0-9]+",
  ],
  [
    "SetRepositoryPolicy",
    { repositoryName, policyText: "x".repeat(10_241) },
    "policyText",
    "Member must have length less than or equal to 10240",
  ],
  [
    "PutLifecyclePolicy",
    { repositoryName, lifecyclePolicyText: "{}" },
    "lifecyclePolicyText",
    "Member must have length greater than or equal to 100",
  ],
  [
    "DescribeRepositories",
    { repositoryNames: [repositoryName], maxResults: 5 },
    "maxResults",
    "Member must not be given with repositoryNames",
  ],
  [
    "DescribeImages",
    { repositoryName, imageIds: [{ imageTag: "x" }], nextToken: "x" },
    "nextToken",
    "Member must not be given with imageIds",
  ],
  ["DescribeRepositories", { nextToken: "garbage!" }, "nextToken", "it is not a token of an earlier answer"],
])("%s refuses %j", async (operation, input, path, why) => {
  expect(await send(operation, input)).toEqual(invalid(path, why));
});

test.each<[string, object]>([
  ["ListImages", { repositoryName: 7 }],
  ["ListImages", { repositoryName, maxResults: "many" }],
  ["BatchGetImage", { repositoryName, imageIds: "all" }],
  ["BatchGetImage", { repositoryName, imageIds: [null] }],
  ["DeleteRepository", { repositoryName, force: "yes" }],
])("%s takes no value of another kind: %j", async (operation, input) => {
  const [status, type] = await send(operation, input);
  expect([status, type]).toEqual([400, "SerializationException"]);
});

describe("what is at the limits is taken", () => {
  test("names, pages and filters", async () => {
    const longest = `${"a".repeat(127)}/${"b__c--d.e".repeat(14)}`.slice(0, 256);
    await user.ecr.send(new CreateRepositoryCommand({ repositoryName: longest }));
    expect(
      (await user.ecr.send(new DescribeRepositoriesCommand({ maxResults: 1000 }))).repositories!.map((one) => one.repositoryName),
    ).toContain(longest);
    expect(
      (await user.ecr.send(new ListImagesCommand({ repositoryName, maxResults: 1000, filter: { tagStatus: "ANY" } }))).imageIds,
    ).toEqual([]);
    expect((await user.ecr.send(new GetAuthorizationTokenCommand({ registryIds: ["111122223333"] }))).authorizationData).toHaveLength(1);
    expect(
      (await user.ecr.send(new GetAuthorizationTokenCommand({ registryIds: ["111122223333", "444455556666"] }))).authorizationData,
    ).toHaveLength(2);
    const filters = ["v*", "latest", "a.b", "_x", "*-rc*"].map((filter) => ({ filterType: "WILDCARD" as const, filter }));
    await user.ecr.send(
      new PutImageTagMutabilityCommand({
        repositoryName,
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: filters,
      }),
    );
    await expect(user.ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: "t".repeat(300) }] }))).rejects.toThrow(
      expect.objectContaining({ name: "ImageNotFoundException" }),
    );
  });
});

test("tags of a repository are at most fifty, of keys and values that are not too long, each once", async () => {
  const numbered = (count: number, first = 0) =>
    Array.from({ length: count }, (_, index) => ({ Key: `key-${first + index}`, Value: "x".repeat(256) }));
  const { repository } = await createRepository(user.ecr, "input/tags", { tags: numbered(49) });
  const tag = (...tags: readonly { Key: string; Value: string }[]) => send("TagResource", { resourceArn: repository!.repositoryArn, tags });
  expect(await tag({ Key: "k".repeat(129), Value: "" })).toMatchObject([400, "InvalidTagParameterException", expect.any(String)]);
  expect(await tag({ Key: "k", Value: "v".repeat(257) })).toMatchObject([400, "InvalidTagParameterException", expect.any(String)]);
  expect(await tag({ Key: "k", Value: "1" }, { Key: "k", Value: "2" })).toMatchObject([
    400,
    "InvalidTagParameterException",
    expect.any(String),
  ]);
  expect((await tag(...numbered(2, 49)))[1]).toBe("TooManyTagsException");
  expect((await tag(...numbered(2, 48)))[0]).toBe(200);
  expect((await send("CreateRepository", { repositoryName: "input/more", tags: numbered(51) }))[1]).toBe("TooManyTagsException");
});

describe("a lifecycle policy", () => {
  const rule = {
    rulePriority: 1,
    description: "old ones go",
    selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 14 },
    action: { type: "expire" },
  };
  const put = (...rules: readonly object[]) =>
    user.ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: JSON.stringify({ rules }) }));
  const { selection } = rule;

  test.each<[string, readonly object[]]>([
    ["by age", [rule]],
    ["by number", [{ ...rule, selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 10 } }]],
    [
      "of any image after all others",
      [rule, { ...rule, rulePriority: 9, selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 10 } }],
    ],
    [
      "of tags",
      [
        { ...rule, selection: { ...selection, tagStatus: "tagged", tagPatternList: ["v*"] } },
        { ...rule, rulePriority: 2, selection: { ...selection, tagStatus: "tagged", tagPrefixList: ["pr-"] } },
      ],
    ],
    [
      "into the archive",
      [
        {
          ...rule,
          action: { type: "transition", targetStorageClass: "archive" },
          selection: { ...selection, countType: "sinceImagePulled" },
        },
      ],
    ],
  ])("%s is kept", async (_what, rules) => {
    await put(...rules);
  });

  test.each<[string, readonly object[]]>([
    ["rules[0]: action.targetStorageClass is not known of expire", [{ ...rule, action: { type: "expire", targetStorageClass: null } }]],
    [
      "rules[0]: selection.countUnit is not left out, as imageCountMoreThan wants",
      [{ ...rule, selection: { ...selection, countType: "imageCountMoreThan" } }],
    ],
    ["rules[0]: selection.countUnit is not days", [{ ...rule, selection: { ...selection, countUnit: "weeks" } }]],
    [
      "rules[0]: selection has not one of tagPrefixList and tagPatternList, as tagStatus tagged wants",
      [{ ...rule, selection: { ...selection, tagStatus: "tagged" } }],
    ],
    [
      "rules[1]: selection.countNumber is not a whole number from 1",
      [rule, { ...rule, rulePriority: 2, selection: { ...selection, countNumber: "14" } }],
    ],
    ["rulePriority is not different for each rule", [rule, rule]],
    [
      "rules[0]: its tagStatus is any, and it has not the highest rulePriority",
      [
        { ...rule, selection: { ...selection, tagStatus: "any" } },
        { ...rule, rulePriority: 2 },
      ],
    ],
    [
      "rules[0]: selection.tagPatternList: a*b*c*d*e* has more than 4 wildcards",
      [{ ...rule, selection: { ...selection, tagStatus: "tagged", tagPatternList: ["v*", "a*b*c*d*e*"] } }],
    ],
    ["rules[0]: rulePriority is not a whole number from 1", [{ ...rule, rulePriority: 0 }]],
  ])("is refused: %s", async (why, rules) => {
    await expect(put(...rules)).rejects.toThrow(
      `Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ${why}'`,
    );
  });
});
