import { AwsRestJsonProtocol, XmlCodec } from "@aws-sdk/core/protocols";
import type { NormalizedSchema } from "@smithy/core/schema";

/** Bodies as the SDK itself writes and reads them. */
export interface BodyCodec {
  readonly contentType: string;
  read(schema: NormalizedSchema, body: Uint8Array): Promise<Record<string, unknown>>;
  write(schema: NormalizedSchema, value: unknown): string;
}

/** JSON; awsJson differs from rest-json only in its content type and in timestamps, which traits decide. */
export function jsonCodec(contentType: string): BodyCodec {
  const codec = new AwsRestJsonProtocol({ defaultNamespace: "com.amazonaws" }).getPayloadCodec();
  return {
    contentType,
    read: async (schema, body) =>
      body.byteLength === 0 ? {} : ((await codec.createDeserializer().read(schema, utf8(body) as never)) as Record<string, unknown>),
    write(schema, value) {
      const serializer = codec.createSerializer();
      serializer.write(schema, value);
      return text(serializer.flush());
    },
  };
}

/** XML of rest-xml services and of query answers. */
export function xmlCodec(namespace: string, xmlNamespace: string): BodyCodec {
  const codec = new XmlCodec({
    timestampFormat: { useTrait: true, default: 5 },
    httpBindings: true,
    xmlNamespace,
    serviceNamespace: namespace,
  });
  return {
    contentType: "application/xml",
    read: async (schema, body) =>
      body.byteLength === 0 ? {} : ((await codec.createDeserializer().read(schema, body)) as Record<string, unknown>),
    write(schema, value) {
      const serializer = codec.createSerializer();
      serializer.write(schema, value);
      return text(serializer.flush());
    },
  };
}

const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");

const text = (flushed: unknown): string => (typeof flushed === "string" ? flushed : utf8(flushed as Uint8Array));

/** Text made safe between XML tags. */
export const escapeXml = (raw: string): string =>
  raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
