import type { Place } from "../arns.ts";
import { quotaExceeded } from "../errors.ts";
import type { Omics } from "../omics.ts";

/**
 * At the quota of stored runs the oldest ended run with retentionMode REMOVE makes room (guide, "Run retention").
 * @throws AwsError ServiceQuotaExceededException when every run is to be retained
 */
export function makeRoom({ store, quotas }: Omics, { account, region }: Place): void {
  if (store.runs.count([account, region]) < quotas.storedRuns) return;
  const [oldest] = store.runs.listBy({ scope: [account, region], name: "removable", value: "yes" }, { limit: 1 });
  if (oldest === undefined) throw quotaExceeded(`The account stores ${quotas.storedRuns} runs, the most it can store; delete some`);
  store.runs.delete(oldest.key);
  for (const task of store.tasks.list(oldest.key)) store.tasks.delete(task.key);
}
