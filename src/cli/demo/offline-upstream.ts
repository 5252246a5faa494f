import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../kit/clock.ts";
import { assembleHostImage } from "../../oci/image/host-image.ts";
import { serveImages } from "../../oci/image/serve.ts";
import { findRunning } from "../accounts/data-dir.ts";
import { OFFLINE_IMAGES } from "./upstream.ts";

// A process of its own: `node offline-upstream.ts <data folder> <port>`. It offers an image of this machine's own
// programs under the names of public ones, and ends when the local accounts of the folder do.
const [, , dataDir = ".", port = "0"] = process.argv;
const folder = join(dataDir, "upstream");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const image = await assembleHostImage({ folder });
const offered = OFFLINE_IMAGES.map((name) => ({ ...name, image }));
const server = await serveImages(offered, Number(port)).catch(() => serveImages(offered));
const mark = join(dataDir, "upstream.json");
writeFileSync(`${mark}.new`, JSON.stringify({ url: server.url, pid: process.pid }));
renameSync(`${mark}.new`, mark);

const GRACE_MS = 10 * 60_000;
const EVERY_MS = 5000;
for (let gone = 0; gone < GRACE_MS && existsSync(mark); gone = findRunning(dataDir) ? 0 : gone + EVERY_MS)
  await systemClock.sleep(EVERY_MS);
await server.close();
