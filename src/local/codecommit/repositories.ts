import { rmSync } from "node:fs";
import type {
  CreateBranchInput,
  CreateRepositoryInput,
  CreateRepositoryOutput,
  DeleteBranchInput,
  DeleteBranchOutput,
  DeleteRepositoryInput,
  DeleteRepositoryOutput,
  GetBranchInput,
  GetBranchOutput,
  GetRepositoryInput,
  GetRepositoryOutput,
  ListBranchesInput,
  ListBranchesOutput,
  ListRepositoriesInput,
  ListRepositoriesOutput,
  ListTagsForResourceInput,
  ListTagsForResourceOutput,
  RepositoryMetadata,
  TagResourceInput,
  UntagResourceInput,
  UpdateDefaultBranchInput,
  UpdateRepositoryDescriptionInput,
} from "@aws-sdk/client-codecommit";
import { principalArn } from "../authorization/principal.ts";
import { type Call, operation } from "../gateway/service.ts";
import { branchExists, branchNotFound, defaultBranchUndeletable, invalidRepositoryName, repositoryExists } from "./errors.ts";
import { gitAt, initRepository, readRefs, repositoryFolder } from "./git.ts";
import { type CodeCommit, on, onBranch } from "./repository-access.ts";
import { type Repository, repositoryArn } from "./store.ts";

/** Repositories, their branches and tags. */
export function repositoryOperations(codecommit: CodeCommit) {
  return {
    ...lifeOperations(codecommit),
    ...settingOperations(codecommit),
    ...branchOperations(codecommit),
    ...branchMoves(codecommit),
    ...tagOperations(codecommit),
  };
}

function lifeOperations({ core, store, open }: CodeCommit) {
  return {
    CreateRepository: operation<CreateRepositoryInput, CreateRepositoryOutput>({
      access: on("CreateRepository"),
      async run(input, call) {
        const name = input.repositoryName ?? "";
        if (!/^[\w.-]{1,100}$/.test(name) || name.endsWith(".git")) throw invalidRepositoryName(name);
        const repository = newRepository(core, input, { ...call, name });
        if (store.repositories.get([call.account, call.region, name])) throw repositoryExists(name);
        await initRepository(gitAt(core, repositoryFolder(core, call, repository.id)));
        if (!store.repositories.insert([call.account, call.region, name], repository)) throw repositoryExists(name);
        return { repositoryMetadata: describe(repository, call) };
      },
    }),
    GetRepository: operation<GetRepositoryInput, GetRepositoryOutput>({
      access: on("GetRepository"),
      run: (input, call) => ({ repositoryMetadata: describe(open(call, input.repositoryName).repository, call) }),
    }),
    DeleteRepository: operation<DeleteRepositoryInput, DeleteRepositoryOutput>({
      access: on("DeleteRepository"),
      run(input, call) {
        const found = store.repositories.get([call.account, call.region, input.repositoryName ?? ""]);
        if (!found) return {};
        store.repositories.delete([call.account, call.region, found.name]);
        rmSync(repositoryFolder(core, call, found.id), { recursive: true, force: true });
        return { repositoryId: found.id };
      },
    }),
    ListRepositories: operation<ListRepositoriesInput, ListRepositoriesOutput>({
      access: () => [{ action: "codecommit:ListRepositories", resource: "*" }],
      run: (_input, call) => ({
        repositories: store.repositories
          .list([call.account, call.region])
          .map(({ value }) => ({ repositoryName: value.name, repositoryId: value.id })),
      }),
    }),
  };
}

function newRepository(
  { clock, random }: CodeCommit["core"],
  input: CreateRepositoryInput,
  { account, region, name }: Pick<Repository, "account" | "region" | "name">,
): Repository {
  const now = clock.now().toISOString();
  const about = input.repositoryDescription ? { description: input.repositoryDescription } : {};
  return { account, region, name, id: random.uuid(), created: now, modified: now, tags: input.tags ?? {}, ...about };
}

function settingOperations(codecommit: CodeCommit) {
  const { open } = codecommit;
  const save = saveIn(codecommit);
  return {
    UpdateRepositoryDescription: operation<UpdateRepositoryDescriptionInput, object>({
      access: on("UpdateRepositoryDescription"),
      run(input, call) {
        const { description: _before, ...repository } = open(call, input.repositoryName).repository;
        save({ ...repository, ...(input.repositoryDescription && { description: input.repositoryDescription }) });
        return {};
      },
    }),
    UpdateDefaultBranch: operation<UpdateDefaultBranchInput, object>({
      access: on("UpdateDefaultBranch"),
      async run(input, call) {
        const { repository, git } = open(call, input.repositoryName);
        const branch = input.defaultBranchName ?? "";
        if (!(await readRefs(git)).has(`refs/heads/${branch}`)) throw branchNotFound(branch);
        await git.run(["symbolic-ref", "HEAD", `refs/heads/${branch}`]);
        save({ ...repository, defaultBranch: branch });
        return {};
      },
    }),
  };
}

function branchOperations({ open }: CodeCommit) {
  return {
    ListBranches: operation<ListBranchesInput, ListBranchesOutput>({
      access: on("ListBranches"),
      async run(input, call) {
        const refs = await readRefs(open(call, input.repositoryName).git);
        return {
          branches: [...refs.keys()].filter((name) => name.startsWith("refs/heads/")).map((name) => name.slice("refs/heads/".length)),
        };
      },
    }),
    GetBranch: operation<GetBranchInput, GetBranchOutput>({
      access: on("GetBranch"),
      async run(input, call) {
        const id = (await readRefs(open(call, input.repositoryName).git)).get(`refs/heads/${input.branchName}`);
        if (!id) throw branchNotFound(input.branchName ?? "");
        return { branch: { branchName: input.branchName, commitId: id } };
      },
    }),
  };
}

function branchMoves(codecommit: CodeCommit) {
  const { open } = codecommit;
  return {
    CreateBranch: operation<CreateBranchInput, object>({
      access: onBranch("CreateBranch", (input: CreateBranchInput) => input.branchName),
      async run(input, call) {
        const { repository, git } = open(call, input.repositoryName);
        if ((await readRefs(git)).has(`refs/heads/${input.branchName}`)) throw branchExists(input.branchName ?? "");
        await git.run(["update-ref", `refs/heads/${input.branchName}`, await codecommit.commit(git, input.commitId)]);
        await codecommit.refsMoved(repository, principalArn(call.caller));
        return {};
      },
    }),
    DeleteBranch: operation<DeleteBranchInput, DeleteBranchOutput>({
      access: onBranch("DeleteBranch", (input: DeleteBranchInput) => input.branchName),
      async run(input, call) {
        const { repository, git } = open(call, input.repositoryName);
        if (repository.defaultBranch === input.branchName) throw defaultBranchUndeletable();
        const id = (await readRefs(git)).get(`refs/heads/${input.branchName}`);
        if (!id) return {};
        await git.run(["update-ref", "-d", `refs/heads/${input.branchName}`]);
        await codecommit.refsMoved(repository, principalArn(call.caller));
        return { deletedBranch: { branchName: input.branchName, commitId: id } };
      },
    }),
  };
}

function tagOperations(codecommit: CodeCommit) {
  const save = saveIn(codecommit);
  const byArn = (call: Call, arn: string | undefined) => codecommit.open(call, arn?.split(":")[5]).repository;
  return {
    ListTagsForResource: operation<ListTagsForResourceInput, ListTagsForResourceOutput>({
      access: (input) => [{ action: "codecommit:ListTagsForResource", resource: input.resourceArn ?? "" }],
      run: (input, call) => ({ tags: { ...byArn(call, input.resourceArn).tags } }),
    }),
    TagResource: operation<TagResourceInput, object>({
      access: (input) => [{ action: "codecommit:TagResource", resource: input.resourceArn ?? "" }],
      run(input, call) {
        const repository = byArn(call, input.resourceArn);
        save({ ...repository, tags: { ...repository.tags, ...input.tags } });
        return {};
      },
    }),
    UntagResource: operation<UntagResourceInput, object>({
      access: (input) => [{ action: "codecommit:UntagResource", resource: input.resourceArn ?? "" }],
      run(input, call) {
        const repository = byArn(call, input.resourceArn);
        save({ ...repository, tags: Object.fromEntries(Object.entries(repository.tags).filter(([key]) => !input.tagKeys?.includes(key))) });
        return {};
      },
    }),
  };
}

const saveIn =
  ({ core, store }: CodeCommit) =>
  (repository: Repository) =>
    store.repositories.put([repository.account, repository.region, repository.name], {
      ...repository,
      modified: core.clock.now().toISOString(),
    });

/** The clone URL is the local one: what a client is given must work here. */
const describe = (repository: Repository, call: Call): RepositoryMetadata => ({
  accountId: repository.account,
  repositoryId: repository.id,
  repositoryName: repository.name,
  Arn: repositoryArn(repository, repository.name),
  creationDate: new Date(repository.created),
  lastModifiedDate: new Date(repository.modified),
  cloneUrlHttp: `${call.endpoint}/v1/repos/${repository.name}`,
  ...(repository.description && { repositoryDescription: repository.description }),
  ...(repository.defaultBranch && { defaultBranch: repository.defaultBranch }),
});
