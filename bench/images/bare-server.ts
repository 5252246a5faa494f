// Writes the body of every PUT to a file of the folder that is its argument. Prints its port.
import { createWriteStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const folder = process.argv[2] ?? ".";
const server = createServer({ requestTimeout: 0 }, (incoming, answer) => {
  void pipeline(incoming, createWriteStream(join(folder, (incoming.url ?? "").replace(/\W/g, "-")))).then(() =>
    answer.writeHead(201).end(),
  );
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
