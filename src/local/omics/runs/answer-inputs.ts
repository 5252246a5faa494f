import { answer, isAnswered } from "../../engines/run-folder.ts";
import type { Omics } from "../omics.ts";
import { s3As } from "../s3-access.ts";
import type { Run } from "../store.ts";
import { changeRun, keyOf } from "./find.ts";
import { foldersOf } from "./folders.ts";
import { bringInputs } from "./inputs.ts";
import { logRunEvent } from "./logs.ts";
import { runPrincipal } from "./role.ts";
import { refusalOf } from "./run-failure.ts";
import { roomOf } from "./storage.ts";

/** Brings the input files that the engine asked for, unless it has its answer already. */
export function answerInputs(omics: Omics, run: Run): void {
  const asked = run.inputsAsk;
  if (asked === undefined || isAnswered(foldersOf(omics, run).engine, asked.ask)) return;
  omics.core.background(`omics inputs of run ${run.id}`, () => bring(omics, run, asked));
}

async function bring(omics: Omics, run: Run, { ask, uris }: NonNullable<Run["inputsAsk"]>): Promise<void> {
  const folders = foldersOf(omics, run);
  try {
    for (const { uri } of uris) logRunEvent(omics, run, { logMessage: "IMPORTING_FILES", message: uri });
    const s3 = s3As(omics.core, runPrincipal(omics, run), run.place.region);
    const { paths, digests } = await bringInputs(uris, { s3, folder: folders.inputs, roomBytes: roomOf(omics, run) });
    changeRun(omics, keyOf(run), { resourceDigests: digests });
    for (const uri of Object.keys(paths)) logRunEvent(omics, run, { logMessage: "IMPORT_COMPLETED", message: uri });
    answer(folders.engine, ask, { paths });
  } catch (error) {
    answer(folders.engine, ask, refusalOf(error));
  }
}
