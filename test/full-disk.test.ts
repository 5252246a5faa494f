import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CreateRepositoryCommand } from "@aws-sdk/client-ecr";
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { expect, test } from "vitest";
import { awsClients, type AwsClients } from "../src/aws/clients.ts";
import { readObject } from "../src/aws/objects.ts";
import { readProfile } from "../src/cli/aws/profiles.ts";
import { omx } from "../src/cli/testing/omx.ts";
import { canMount, mountSmallDisk } from "../src/local/testing/small-disk.ts";
import { done } from "./journey.ts";

const MIB = 1024 * 1024;
const DISK_MIB = 48;

test.runIf(canMount())(
  "a full disk is named, loses nothing that was answered, and is over when there is room",
  async () => {
    const cli = omx();
    mkdirSync(cli.dataDir);
    mountSmallDisk(cli.dataDir, DISK_MIB);
    try {
      const start = async (): Promise<AwsClients> => {
        const { url, configFile } = done(await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<{
          url: string;
          configFile: string;
        }>();
        const found = readProfile(configFile, "cicd");
        return awsClients({ region: "us-east-1", endpoint: url, ...(found?.credentials && { credentials: found.credentials }) });
      };
      const before = await start();
      const Bucket = "full-disk";
      await before.s3.send(new CreateBucketCommand({ Bucket }));
      const written: string[] = [];
      let refusal: Error | undefined;
      for (let index = 0; index < DISK_MIB && !refusal; index++) {
        const Key = `part-${String(index).padStart(2, "0")}`;
        await before.s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(4 * MIB, index + 1) })).then(
          () => written.push(Key),
          (error: Error) => (refusal = error),
        );
      }
      expect(refusal?.message).toMatch(/disk of the local accounts is full/);
      expect(written.length).toBeGreaterThan(3);
      // Somebody else's files take what was left for documents.
      const ballast = join(cli.dataDir, "ballast");
      expect(() => execFileSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=64k"], { stdio: "ignore" })).toThrow();
      const ssm = new SSMClient({
        region: "us-east-1",
        endpoint: before.target.endpoint ?? "",
        ...(before.target.credentials && { credentials: before.target.credentials }),
      });
      const putParameter = () =>
        ssm.send(new PutParameterCommand({ Name: "/full", Value: "x".repeat(4000), Type: "String", Overwrite: true })).then(
          () => "kept",
          (error: Error) => error.message,
        );
      await expect.poll(putParameter, { timeout: 60_000, interval: 1 }).toMatch(/disk of the local accounts is full/);

      await expect(before.s3.send(new ListObjectsV2Command({ Bucket }))).resolves.toMatchObject({ KeyCount: written.length });
      rmSync(ballast);
      await expect.poll(putParameter, { timeout: 60_000, interval: 100 }).toBe("kept");
      await before.s3.send(new DeleteObjectCommand({ Bucket, Key: written[0] ?? "" }));
      done(await cli.run("local", "stop", "--json"));
      const after = await start();
      const keys = (await after.s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key);
      expect(keys).toEqual(written.slice(1));
      for (const [index, key] of written.entries())
        if (index > 0) expect(new Set(await readObject(after.s3, { bucket: Bucket, key }))).toEqual(new Set([index + 1]));
      await after.ecr.send(new CreateRepositoryCommand({ repositoryName: "there-is-room" }));
      await after.s3.send(new PutObjectCommand({ Bucket, Key: "small", Body: "there is room for this" }));
    } finally {
      await cli.run("local", "stop");
      execFileSync("umount", ["--lazy", cli.dataDir]);
      await cli[Symbol.asyncDispose]();
    }
  },
  300_000,
);
