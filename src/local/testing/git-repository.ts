import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** A Git repository of this machine whose branch `main` holds some files; gone with its disposal. */
export interface GitRepository extends Disposable {
  /** `file://…` */
  readonly url: string;
  /** Writes files and commits them. */
  commit(files: Readonly<Record<string, string>>, message: string): void;
  git(...args: readonly string[]): void;
}

export function gitRepository(files: Readonly<Record<string, string>>): GitRepository {
  const folder = mkdtempSync(join(tmpdir(), "omx-repository-"));
  const git = (...args: readonly string[]): void =>
    void execFileSync(
      "git",
      ["-C", folder, "-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main", ...args],
      { stdio: "ignore" },
    );
  const repository: GitRepository = {
    git,
    url: pathToFileURL(folder).href,
    commit(changed, message) {
      for (const [name, text] of Object.entries(changed)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      git("add", ".");
      git("commit", "--quiet", "-m", message);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
  git("init", "--quiet");
  repository.commit(files, "first");
  return repository;
}
