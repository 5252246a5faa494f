import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import picomatch from "picomatch";
import type { DefinitionRepository, DefinitionRepositoryDetails } from "../../../model/generated/types.ts";
import { runCommand } from "../../children/run-command.ts";
import type { Omics } from "../omics.ts";
import type { Definition } from "../store.ts";
import { CreationFailed } from "./creation-failed.ts";
import { zipFolder } from "./zip-folder.ts";

/** The guide's limits: a repository of 1 GiB, files of 100 MiB. */
const MOST_BYTES = 1024 ** 3;
const MOST_FILE_BYTES = 100 * 1024 ** 2;

/** A repository's files at one commit, as a definition. */
export interface FetchedRepository {
  /** SHA-256 of the ZIP that was made of it. */
  readonly zip: string;
  readonly details: DefinitionRepositoryDetails;
}

/**
 * Fetches a repository. A full id that is an address (`https://host/owner/name`) is cloned from there by the machine's
 * git; any other names a CodeCommit repository of the account by its last part. Connections are not kept.
 * @throws CreationFailed
 */
export async function fetchRepository(omics: Omics, definition: Definition, folder: string): Promise<FetchedRepository> {
  if (definition.source.kind !== "repository") throw new Error(`${definition.arn} does not come from a repository`);
  const { repository } = definition.source;
  mkdirSync(folder, { recursive: true });
  const isAddress = repository.fullRepositoryId.includes("://");
  await (isAddress ? clone(omics, repository, folder) : checkOut(omics, { definition, repository, folder }));
  rmSync(join(folder, ".git"), { recursive: true, force: true });
  leaveOut(folder, repository.excludeFilePatterns ?? []);
  checkSizes(folder);
  return { zip: await zipFolder(omics.core.blobs, folder), details: detailsOf(repository) };
}

interface CheckingOut {
  readonly definition: Definition;
  readonly repository: DefinitionRepository;
  readonly folder: string;
}

async function checkOut({ core }: Omics, { definition, repository, folder }: CheckingOut): Promise<void> {
  const repositoryName = repository.fullRepositoryId.split("/").at(-1) ?? "";
  const commitSpecifier = repository.sourceReference && refOf(repository.sourceReference);
  await core.dispatcher.call({
    service: "codecommit",
    operation: "CheckOut",
    as: definition.creator,
    account: definition.place.account,
    region: definition.place.region,
    input: { repositoryName, directory: folder, ...(commitSpecifier !== undefined && { commitSpecifier }) },
  });
}

const MINUTES_10 = 600_000;

async function clone(omics: Omics, { fullRepositoryId, sourceReference }: DefinitionRepository, folder: string): Promise<void> {
  const wanted = sourceReference === undefined ? "HEAD" : refOf(sourceReference);
  const git = async (...args: string[]): Promise<void> => {
    const environment = { ...omics.engines.environment, GIT_TERMINAL_PROMPT: "0" };
    const { code, text } = await runCommand(
      { ...omics.engines, environment },
      { owner: "omics/git", program: "git", args: ["-C", folder, ...args], timeoutMs: MINUTES_10 },
    );
    if (code !== 0) throw new CreationFailed(`The repository ${fullRepositoryId} can't be read at ${wanted}: ${text.trim().slice(-500)}`);
  };
  await git("init", "--quiet");
  await git("fetch", "--quiet", "--depth", "1", "--no-tags", fullRepositoryId, wanted);
  await git("checkout", "--quiet", "FETCH_HEAD");
}

const refOf = ({ type, value }: NonNullable<DefinitionRepository["sourceReference"]>): string =>
  type === "COMMIT" ? value : `refs/${type === "BRANCH" ? "heads" : "tags"}/${value}`;

/** Files that match a pattern, and folders with all they hold. Globs of Fossil: `*` also matches slashes. */
function leaveOut(folder: string, patterns: readonly string[]): void {
  if (patterns.length === 0) return;
  const isLeftOut = picomatch(
    patterns.flatMap((pattern) => (pattern.endsWith("/") ? [`${pattern}**`] : [pattern, `${pattern}/**`])),
    { dot: true, bash: true },
  );
  for (const file of filesIn(folder)) if (isLeftOut(relative(folder, file).split(sep).join("/"))) rmSync(file);
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function checkSizes(folder: string): void {
  let total = 0;
  for (const file of filesIn(folder)) {
    const { size } = lstatSync(file);
    total += size;
    if (size > MOST_FILE_BYTES)
      throw new CreationFailed(`${relative(folder, file)} has ${size} bytes; a file of a repository can have 100 MiB`);
  }
  if (total > MOST_BYTES) throw new CreationFailed(`The repository has ${total} bytes; 1 GiB is the most`);
}

const PROVIDERS: Readonly<Record<string, string>> = { "github.com": "GitHub", "gitlab.com": "GitLab", "bitbucket.org": "Bitbucket" };

function detailsOf({ connectionArn, fullRepositoryId, sourceReference }: DefinitionRepository): DefinitionRepositoryDetails {
  const host = /^\w+:\/\/(?:[^@/]*@)?([^/:]+)/.exec(fullRepositoryId)?.[1];
  return {
    connectionArn,
    fullRepositoryId,
    ...(sourceReference && { sourceReference }),
    ...(host !== undefined && { providerEndpoint: `https://${host}`, ...(PROVIDERS[host] && { providerType: PROVIDERS[host] }) }),
  };
}
