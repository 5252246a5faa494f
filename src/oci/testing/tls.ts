import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

/** A certificate of localhost that this process trusts until it is disposed of. */
export interface TrustedTls extends Disposable {
  readonly key: Buffer;
  readonly cert: Buffer;
}

export function trustedTls(): TrustedTls {
  const folder = mkdtempSync(join(tmpdir(), "omx-tls-"));
  const [keyFile, certFile] = [join(folder, "key"), join(folder, "cert")];
  const about = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile, "-out", certFile, ...about],
    { stdio: "ignore" },
  );
  const [key, cert] = [readFileSync(keyFile), readFileSync(certFile)];
  rmSync(folder, { recursive: true });
  const trusted = getCACertificates();
  setDefaultCACertificates([...trusted, cert.toString()]);
  return { key, cert, [Symbol.dispose]: () => setDefaultCACertificates(trusted) };
}
