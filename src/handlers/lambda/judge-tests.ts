import { judgeTests } from "../../release/testrun/judge.ts";
import { environmentSettings } from "../settings.ts";

const { clients } = environmentSettings();

/** Last step of `omx-test-run`: judges what the runs left. */
export const handler = (event: Parameters<typeof judgeTests>[1]) => judgeTests(clients, event);
