/** Certificates made for one test run by the `openssl` program: Node itself can read them but not make them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends KeyPair {
  /** A certificate signed by this authority; `names` as in `DNS:murano.test,IP:127.0.0.1`. */
  issue(commonName: string, names: string): KeyPair;
}

export function createAuthority(name: string): Authority {
  const own = openssl((directory) => {
    const subject = ["-subj", `/CN=${name}`, "-days", "2"];
    return ["req", "-x509", ...newKey(directory), ...subject, "-out", join(directory, "cert.pem")];
  });
  const issue = (commonName: string, names: string): KeyPair =>
    openssl((directory) => {
      writeFileSync(join(directory, "ca.pem"), own.cert);
      writeFileSync(join(directory, "ca-key.pem"), own.key);
      const signer = ["-CA", join(directory, "ca.pem"), "-CAkey", join(directory, "ca-key.pem")];
      const subject = ["-subj", `/CN=${commonName}`, "-addext", `subjectAltName=${names}`, "-days", "2"];
      return [
        "req",
        "-x509",
        ...newKey(directory),
        ...signer,
        ...subject,
        "-out",
        join(directory, "cert.pem"),
      ];
    });
  return { ...own, issue };
}

function newKey(directory: string): string[] {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  return [...curve, "-keyout", join(directory, "key.pem")];
}

function openssl(toArguments: (directory: string) => string[]): KeyPair {
  const directory = mkdtempSync(join(tmpdir(), "gwe-certificates-"));
  try {
    execFileSync("openssl", toArguments(directory), { stdio: "pipe" });
    return {
      cert: readFileSync(join(directory, "cert.pem"), "utf8"),
      key: readFileSync(join(directory, "key.pem"), "utf8"),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
