/** Certificates of any validity and shape, by the `openssl` program. */
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
  writeFileSync(file("config"), configuration(directory));
  writeFileSync(file("index"), "");
  writeFileSync(file("extensions"), extensions.join("\n"));
  openssl("req", "-new", "-config", file("config"), ...keys[key], "-nodes", "-subj", `/CN=${name}`, [
    ...["-keyout", file("key.pem"), "-out", file("request.pem")],
  ]);
  if (issuer !== undefined) {
    writeFileSync(file("issuer.pem"), issuer.cert);
    writeFileSync(file("issuer-key.pem"), issuer.key);
  }
  openssl("ca", "-batch", "-notext", "-config", file("config"), "-in", file("request.pem"), [
    ...["-out", file("cert.pem"), "-md", digest, "-extfile", file("extensions")],
    ...["-startdate", asn1Date(from, 0), "-enddate", asn1Date(from, days)],
    ...(issuer === undefined
      ? ["-selfsign", "-keyfile", file("key.pem")]
      : ["-cert", file("issuer.pem"), "-keyfile", file("issuer-key.pem")]),
  ]);
  return { cert: readFileSync(file("cert.pem"), "utf8"), key: readFileSync(file("key.pem"), "utf8") };
}

function openssl(...args: readonly (string | readonly string[])[]): void {
  execFileSync("openssl", args.flat(), { stdio: "pipe" });
}

function configuration(directory: string): string {
  return `[req]
distinguished_name = name
[name]
[ca]
default_ca = here
[here]
database = ${join(directory, "index")}
new_certs_dir = ${directory}
rand_serial = yes
policy = any
[any]
commonName = supplied
`;
}

/** Midnight, so many days later, as `openssl ca` takes it: `20300101000000Z`. */
function asn1Date(from: string, daysLater: number): string {
  const date = new Date(`${from}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + daysLater);
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
}

const authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];

export function root(name: string, from = "2020-01-01", days = 36_500): DatedCertificate {
  return certificate({ name, from, days, extensions: authority });
}
