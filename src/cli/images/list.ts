import { ecr } from "../../aws/services/ecr.ts";
import { listStaged, type StagedImage } from "../../release/images/inventory.ts";
import { workshopClient } from "../../release/images/workshop.ts";
import { type Choice, openSession } from "../aws/session.ts";
import type { Cli } from "../cli.ts";
import { workshopOf } from "./workshop.ts";

/** What omx staged in the ECR of the profile's account. */
export async function listImages(cli: Cli, choice: Choice, untagged: boolean): Promise<readonly StagedImage[]> {
  const session = await openSession(cli, choice, { ecr });
  await using client = workshopClient(workshopOf(cli, session, {}));
  return await listStaged({ ecr: session.clients.ecr, client, place: session.place, untagged });
}
