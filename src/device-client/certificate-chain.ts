import type { X509Certificate } from "node:crypto";
import { CertificateError } from "./certificate-error.ts";
import { parseCertificate } from "./certificate-fields.ts";
import type { Validity } from "./certificate-time.ts";

const longestChain = 8;
const oids = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  anyPurpose: "2.5.29.37.0",
} as const;
/** Those with a hash that is still good (OpenSSL's security level 2). */
const goodSignatures: ReadonlySet<string> = new Set([
  "1.2.840.113549.1.1.10",
  "1.2.840.113549.1.1.11",
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
  "1.3.101.112",
  "1.3.101.113",
]);

/**
 * Verifies all of a server's certificate chain but its dates (RFC 5280, 6.1), and tells in which time it is valid as a
 * whole. Signatures and names are OpenSSL's work; what is rare, and not decided here (constraints on names and
 * policies), is refused. For where OpenSSL itself cannot be used: it takes the date from the system's clock alone, and
 * tells only the last error, which a wrong date is, whatever else is wrong.
 *
 * @param sent as the server sent them, its own first
 * @throws CertificateError
 */
export function verifyChain(sent: readonly X509Certificate[], trusted: readonly X509Certificate[]): Validity {
  const [own] = sent;
  if (own === undefined) throw new CertificateError("NO_CERTIFICATE", "the server has no certificate");
  const path = buildPath(own, sent.slice(1), trusted);
  checkServerCertificate(own);
  for (const [index, certificate] of path.entries()) {
    checkStrength(certificate, index === path.length - 1);
    if (index > 0) checkAuthority(certificate, index - 1);
  }
  return {
    fromMs: Math.max(...path.map(({ validFromDate }) => validFromDate.getTime())),
    toMs: Math.min(...path.map(({ validToDate }) => validToDate.getTime())),
  };
}

/** The server's own certificate first, one that is trusted last; each is signed by the next. */
function buildPath(
  own: X509Certificate,
  sent: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
): readonly X509Certificate[] {
  const path = [own];
  for (let last = own; path.length <= longestChain; ) {
    const { fingerprint256 } = last;
    if (trusted.some((one) => one.fingerprint256 === fingerprint256) && isSignedBy(last, last)) return path;
    const root = trusted.find((one) => isSignedBy(last, one) && isSignedBy(one, one));
    if (root !== undefined) return [...path, root];
    const next = sent.find((one) => !path.includes(one) && isSignedBy(last, one));
    if (next === undefined) break;
    path.push(next);
    last = next;
  }
  throw new CertificateError(
    "UNABLE_TO_GET_ISSUER_CERT",
    "the server's certificate comes from nobody who is trusted",
  );
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function checkServerCertificate(own: X509Certificate): void {
  const { purposes, keyUsage } = parseCertificate(own);
  checkPurposes(purposes);
  const canSpeakTls =
    keyUsage === undefined ||
    keyUsage.has("digitalSignature") ||
    keyUsage.has("keyEncipherment") ||
    keyUsage.has("keyAgreement");
  if (!canSpeakTls) throw new CertificateError("INVALID_PURPOSE", "the server's key is not for TLS");
}

/** @param below how many authorities are between it and the server */
function checkAuthority(certificate: X509Certificate, below: number): void {
  const { isAuthority, longestPath, keyUsage, purposes } = parseCertificate(certificate);
  if (!isAuthority || keyUsage?.has("keyCertSign") === false) {
    throw new CertificateError("INVALID_CA", "a certificate of the chain may not sign others");
  }
  if (longestPath !== undefined && below > longestPath) {
    throw new CertificateError(
      "PATH_LENGTH_EXCEEDED",
      "the chain is longer than one of its authorities allows",
    );
  }
  checkPurposes(purposes);
}

function checkPurposes(purposes: readonly string[] | undefined): void {
  const isForServers =
    purposes === undefined || purposes.includes(oids.serverAuth) || purposes.includes(oids.anyPurpose);
  if (!isForServers)
    throw new CertificateError("INVALID_PURPOSE", "a certificate of the chain is not for servers");
}

function checkStrength(certificate: X509Certificate, isTrusted: boolean): void {
  const { unknownCritical, signature } = parseCertificate(certificate);
  if (unknownCritical !== undefined) {
    const message = `a certificate of the chain has a critical extension that is not known here (${unknownCritical})`;
    throw new CertificateError("UNHANDLED_CRITICAL_EXTENSION", message);
  }
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  const isWeakRsa =
    asymmetricKeyType?.startsWith("rsa") === true && (asymmetricKeyDetails?.modulusLength ?? 0) < 2048;
  // Whose own signature is trusted anyway proves nothing by it.
  const isWeakSignature = !isTrusted && !goodSignatures.has(signature);
  if (isWeakRsa || isWeakSignature) {
    throw new CertificateError("CERT_TOO_WEAK", "a certificate of the chain has a weak key or signature");
  }
}
