import { createHash } from "node:crypto";
import type { AccountId } from "../kit/account-id.ts";
import type { NamedPolicy } from "./authorization/principal.ts";
import type { Settings } from "./gateway/service.ts";

/** A person of the local accounts: an IAM user with one access key and a profile in the written config file. */
export interface Identity {
  readonly profile: string;
  readonly account: AccountId;
  readonly userName: string;
  /**
   * The same for the same account and user for ever: `cdk` keeps on disk which account a key belongs to
   * (~/.cdk/cache), also after a reset.
   */
  readonly accessKeyId: string;
  readonly policies: readonly NamedPolicy[];
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function accessKeyIdOf(account: string, userName: string): string {
  const digest = createHash("sha256").update(`${account}/${userName}`).digest();
  return `AKIA${[...digest.subarray(0, 16)].map((byte) => BASE32[byte % 32]).join("")}`;
}

const allow = (sid: string, actions: readonly string[]) => ({ Sid: sid, Effect: "Allow", Action: actions, Resource: "*" });
const policy = (name: string, statements: readonly object[]): NamedPolicy => ({
  name,
  document: JSON.stringify({ Version: "2012-10-17", Statement: statements }),
});

const ADMINISTRATOR = policy("administrator", [allow("Everything", ["*"])]);

const READ = allow("Read", [
  "codepipeline:Get*",
  "codepipeline:List*",
  "codebuild:BatchGet*",
  "codebuild:List*",
  "states:Describe*",
  "states:List*",
  "states:GetExecutionHistory",
  "logs:Get*",
  "logs:Describe*",
  "logs:FilterLogEvents",
  "omics:Get*",
  "omics:List*",
  "ecr:Describe*",
  "ecr:List*",
  "ecr:BatchGetImage",
  "ecr:GetDownloadUrlForLayer",
  "ecr:GetAuthorizationToken",
  "ecr:GetRepositoryPolicy",
  "s3:GetObject",
  "s3:ListBucket",
  "s3:ListAllMyBuckets",
  "s3:GetBucketLocation",
  "cloudformation:Describe*",
  "cloudformation:List*",
  "events:Describe*",
  "events:List*",
]);

/** What S3 gives back was encrypted with the account's keys: reading it means letting S3 decrypt. */
const DECRYPT = {
  Sid: "DecryptThroughS3",
  Effect: "Allow",
  Action: "kms:Decrypt",
  Resource: "*",
  Condition: { StringLike: { "kms:ViaService": "s3.*.amazonaws.com" } },
};

/** Pushes branches, opens and merges pull requests, reads; may neither approve nor write where a release is read. */
const DEVELOPER = policy("developer", [
  READ,
  DECRYPT,
  allow("Repositories", [
    "codecommit:GitPull",
    "codecommit:GitPush",
    "codecommit:Get*",
    "codecommit:List*",
    "codecommit:BatchGet*",
    "codecommit:Describe*",
    "codecommit:CreateBranch",
    "codecommit:DeleteBranch",
    "codecommit:CreatePullRequest",
    "codecommit:UpdatePullRequest*",
    "codecommit:MergePullRequest*",
    "codecommit:MergeBranches*",
    "codecommit:PostComment*",
    "codecommit:TestEventTriggers",
    "codecommit:CreateCommit",
    "codecommit:PutFile",
  ]),
]);

/** Approves or rejects, and reads what a release produced. */
const APPROVER = policy("approver", [READ, DECRYPT, allow("Approve", ["codepipeline:PutApprovalResult"])]);

/** Who there is: an administrator for each account, and the developer and the approver of the first. */
export function identitiesOf(settings: Settings): readonly Identity[] {
  const [first] = settings.accounts;
  const identity = (profile: string, account: AccountId, policies: readonly NamedPolicy[]): Identity => ({
    profile,
    account,
    userName: profile,
    accessKeyId: accessKeyIdOf(account, profile),
    policies,
  });
  const administrators = settings.accounts.map(({ id, name }) => identity(name, id, [ADMINISTRATOR]));
  return first
    ? [...administrators, identity("developer", first.id, [DEVELOPER]), identity("approver", first.id, [APPROVER])]
    : administrators;
}
