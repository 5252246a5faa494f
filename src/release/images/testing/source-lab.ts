import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { Zippable } from "fflate";
import { type Header, pack } from "tar-stream";
import { expect, onTestFinished } from "vitest";
import { startAccounts, type TestAccounts } from "../../../local/testing/accounts.ts";
import type { UnpackLimits } from "../../../oci/image/archive.ts";
import { ReleaseError } from "../../errors.ts";
import { fetchSource } from "../build/source-folder.ts";

/** A source that was fetched, or why it was not. */
export interface FetchedSource {
  readonly folder: string;
  readonly failure: string | undefined;
}

/** Local accounts with a bucket for sources of images. */
export interface SourceLab extends AsyncDisposable {
  readonly accounts: TestAccounts;
  /** Stores an object. @returns its address */
  put(key: string, body: Uint8Array | string): Promise<string>;
  /** Unpacks below a folder whose parent is looked at afterwards. */
  fetched(uri: string, limits?: UnpackLimits): Promise<FetchedSource>;
}

export async function openSourceLab(): Promise<SourceLab> {
  const accounts = await startAccounts();
  const s3 = new S3Client(accounts.config());
  await s3.send(new CreateBucketCommand({ Bucket: "sources" }));
  return {
    accounts,
    async put(Key, Body) {
      await s3.send(new PutObjectCommand({ Bucket: "sources", Key, Body: Buffer.from(Body) }));
      return `s3://sources/${Key}`;
    },
    async fetched(uri, limits) {
      const root = scratch();
      const folder = join(root, "a", "context");
      const failure = await fetchSource(s3, uri, folder, limits && { limits }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure !== undefined) expect(failure).toBeInstanceOf(ReleaseError);
      expect([existsSync(join(root, "evil")), existsSync(join(root, "a", "evil"))]).toEqual([false, false]);
      return { folder, failure: (failure as Error | undefined)?.message };
    },
    [Symbol.asyncDispose]: () => accounts[Symbol.asyncDispose](),
  };
}

/** A folder of the test's own. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "omx-source-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export type TarEntry = Partial<Header> & { readonly name: string; readonly text?: string };

export async function tarGz(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text = "", ...header } of entries) tar.entry(header, header.type === undefined || header.type === "file" ? text : "");
  tar.finalize();
  return gzipSync(await buffer(tar));
}

/** An entry of a ZIP with a file's mode. */
export const zipEntry = (text: string, mode: number): Zippable[string] => [Buffer.from(text), { os: 3, attrs: (mode << 16) >>> 0 }];
