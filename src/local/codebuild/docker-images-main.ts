import { text } from "node:stream/consumers";
import { findImages } from "./docker-images.ts";

// Called by the docker of a build: its arguments come and go with a NUL behind each, in front what has to be tagged.
const [endpoint = "", upstreams = "{}", folder = ""] = process.argv.slice(2);
const args = (await text(process.stdin)).split("\0").slice(0, -1);
const call = await findImages(args, { endpoint, upstreams: JSON.parse(upstreams) as Record<string, string>, folder, cwd: process.cwd() });
process.stdout.write([call.tag?.source ?? "", call.tag?.name ?? "", ...call.args].map((word) => `${word}\0`).join(""));
