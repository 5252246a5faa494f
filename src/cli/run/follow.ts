import { GetRunCommand, type GetRunResponse, type OmicsClient, paginateListRunTasks } from "@aws-sdk/client-omics";
import type { Clock } from "../../kit/clock.ts";
import { ENDED } from "../../release/testrun/verdicts.ts";

export interface Following {
  readonly omics: OmicsClient;
  readonly clock: Clock;
  readonly pollMs: number;
  /** A line whenever the run or a task of it changes. */
  tell(line: string): void;
}

/** Follows a run until nothing changes any more. */
export async function followRun({ omics, clock, pollMs, tell }: Following, id: string): Promise<GetRunResponse> {
  const told = new Set<string>();
  const once = (line: string): void => {
    if (!told.has(line)) tell(line);
    told.add(line);
  };
  for (;;) {
    const run = await omics.send(new GetRunCommand({ id }));
    once(`run ${id} ${run.status ?? ""}`);
    for await (const page of paginateListRunTasks({ client: omics }, { id }))
      for (const { name = "", status = "", taskId = "" } of page.items ?? []) once(`  task ${name} (${taskId}) ${status}`);
    if (ENDED.includes(run.status ?? "")) return run;
    await clock.sleep(pollMs);
  }
}
