import { codepipeline } from "../../aws/services/codepipeline.ts";
import { openSession, type Session } from "../aws/session.ts";
import type { Cli } from "../cli.ts";
import { chooseRelease, readRelease, type ReleaseState } from "./pipeline.ts";

export interface ReleaseChoice {
  readonly execution?: string;
  readonly profile?: string;
  readonly region?: string;
  readonly localProfile?: string;
}

/** One release, to be read as often as needed. */
export interface OpenRelease {
  readonly session: Session<"codepipeline">;
  readonly id: string;
  read(): Promise<ReleaseState>;
}

/** Finds the release that is meant. @throws Problem when there is none */
export async function openRelease(cli: Cli, workflow: string, choice: ReleaseChoice): Promise<OpenRelease> {
  const session = await openSession(cli, choice, { codepipeline });
  const id = await chooseRelease(session.clients.codepipeline, workflow, choice.execution);
  return { session, id, read: () => readRelease(session.clients.codepipeline, workflow, id) };
}
