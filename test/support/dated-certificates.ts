/** Certificates of any validity and shape, by the `openssl` program under another clock (Debian's `faketime`). */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface DatedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly name: string;
  /** Signed by itself where undefined. */
  readonly issuer?: DatedCertificate;
  /** As `openssl` takes them, such as `basicConstraints=critical,CA:TRUE`. */
  readonly extensions?: readonly string[];
  /** First day of validity, `2030-01-01`. */
  readonly from: string;
  readonly days: number;
  readonly key?: "ec" | "rsa1024";
  readonly digest?: "sha256" | "sha1";
}

const keys = {
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  rsa1024: ["-newkey", "rsa:1024"],
};

export function certificate(request: CertificateRequest): DatedCertificate {
  const directory = mkdtempSync(join(tmpdir(), "gwe-certificates-"));
  try {
    return issue(directory, request);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function issue(directory: string, request: CertificateRequest): DatedCertificate {
  const { name, issuer, extensions = [], from, days, key = "ec", digest = "sha256" } = request;
  const file = (part: string): string => join(directory, part);
  // Its own defaults would add to what is asked for.
  writeFileSync(file("config"), "[req]\ndistinguished_name = name\n[name]\n");
  if (issuer !== undefined) {
    writeFileSync(file("issuer.pem"), issuer.cert);
    writeFileSync(file("issuer-key.pem"), issuer.key);
  }
  const signer = issuer === undefined ? [] : ["-CA", file("issuer.pem"), "-CAkey", file("issuer-key.pem")];
  execFileSync(
    "faketime",
    [
      ...[
        "-f",
        `${from} 00:00:00`,
        "openssl",
        "req",
        "-x509",
        "-config",
        file("config"),
        ...keys[key],
        "-nodes",
      ],
      ...["-keyout", file("key.pem"), "-out", file("cert.pem"), `-${digest}`, "-days", String(days)],
      ...["-subj", `/CN=${name}`, ...signer, ...extensions.flatMap((one) => ["-addext", one])],
    ],
    { stdio: "pipe", env: { ...process.env, TZ: "UTC" } },
  );
  return { cert: readFileSync(file("cert.pem"), "utf8"), key: readFileSync(file("key.pem"), "utf8") };
}

const authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];

export function root(name: string, from = "2020-01-01", days = 36_500): DatedCertificate {
  return certificate({ name, from, days, extensions: authority });
}
