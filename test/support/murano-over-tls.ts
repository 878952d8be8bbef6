import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createAuthority } from "./device-client-certificates.ts";
import { startTestEmulator, type TestEmulator } from "./emulator.ts";
import { temporaryDirectory } from "./temp-directory.ts";
import { openTlsFront } from "./tls-front.ts";

/** A Murano that devices reach by HTTPS alone, until the test is over. */
export async function muranoOverTls(): Promise<{
  readonly murano: TestEmulator;
  readonly serverUrl: string;
  /** Of the authority that the server's certificate is from: valid today, and not in 1970. */
  readonly caFile: string;
}> {
  const murano = await startTestEmulator();
  onTestFinished(() => murano.close());
  const authority = createAuthority("authority of a Murano over TLS");
  const certificate = authority.issue("localhost", "DNS:localhost");
  const front = await openTlsFront(Number(new URL(murano.url).port), certificate);
  onTestFinished(() => front[Symbol.asyncDispose]());
  const caFile = join(temporaryDirectory(), "ca.pem");
  writeFileSync(caFile, authority.cert);
  return { murano, serverUrl: `https://localhost:${front.port}`, caFile };
}
