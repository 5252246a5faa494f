import type { Build } from "@aws-sdk/client-codebuild";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { type CodeLab, codeLab } from "./code-lab.ts";

/** A code lab in accounts of its own. */
export interface OwnCodeLab extends CodeLab, AsyncDisposable {
  readonly accounts: TestAccounts;
  /** A build of a new project with this buildspec, that has ended. */
  built(spec: object | string, more?: Parameters<CodeLab["project"]>[2]): Promise<EndedBuild>;
}

export interface EndedBuild extends Build {
  readonly lines: readonly string[];
  /** Its lines that begin with `> `, without that. */
  readonly said: readonly string[];
}

export async function openCodeLab(): Promise<OwnCodeLab> {
  const accounts = await startAccounts();
  const lab = codeLab(accounts);
  let made = 0;
  return {
    ...lab,
    accounts,
    async built(spec, more = {}) {
      made += 1;
      const name = `project-${made}`;
      await lab.project(name, spec, more);
      const build = await lab.build(name);
      const lines = (await lab.linesOf(build)).map((line) => line.trimEnd());
      return { ...build, lines, said: lines.filter((line) => line.startsWith("> ")).map((line) => line.slice(2)) };
    },
    [Symbol.asyncDispose]: () => accounts[Symbol.asyncDispose](),
  };
}

/** A buildspec of version 0.2. */
export const spec = (phases: object, more: object = {}) => ({ version: "0.2", phases, ...more });

/** How each phase of a build ended. */
export const phasesOf = ({ phases = [] }: Build) =>
  Object.fromEntries(phases.map(({ phaseType, phaseStatus }) => [phaseType!, phaseStatus]));

/** Why a build failed. */
export const contextOf = ({ phases = [] }: Build) => phases.find(({ contexts }) => contexts?.[0]?.statusCode)?.contexts?.[0];
