import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface GuardedRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly url: string;
}

/** A registry that answers those alone who say this password; for reading. */
export async function guardedRegistry(
  target: string,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<GuardedRegistry> {
  const wanted = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const server = createServer((request, response) => {
    if (request.headers.authorization !== wanted)
      return void response
        .writeHead(401, { "www-authenticate": 'Basic realm="test"' })
        .end('{"errors":[{"code":"UNAUTHORIZED","message":"log in"}]}');
    const { accept = "*/*", range } = request.headers;
    void fetch(new URL(request.url ?? "/", target), { method: request.method ?? "GET", headers: { accept, ...(range && { range }) } }).then(
      async (answer) => response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer())),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
