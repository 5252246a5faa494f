import type { Containers } from "../../engines/engine.ts";
import { serveHere } from "./own-process.ts";

// Local accounts in a process of their own, for tests that kill it: node accounts-process.ts <data folder> <port> <containers>
const [dataDir = "", port = "0", containers = "host"] = process.argv.slice(2);
await serveHere(dataDir, { port: Number(port), containers: containers as Containers });
