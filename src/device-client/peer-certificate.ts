import { X509Certificate } from "node:crypto";
import * as tls from "node:tls";
import { verifyChain } from "./certificate-chain.ts";
import { CertificateError } from "./certificate-error.ts";
import type { CertificateTime } from "./certificate-time.ts";

/**
 * Stands in for Node's own verification of a TLS connection that was opened without it.
 * @param ca PEM text, in place of Node's own list
 * @throws CertificateError, or Node's error where the certificate is of another host
 */
export function verifyPeer(
  socket: tls.TLSSocket,
  options: { readonly host: string; readonly ca: string | undefined; readonly time: CertificateTime },
): void {
  const { host, ca, time } = options;
  const wrongHost = tls.checkServerIdentity(host, socket.getPeerCertificate());
  if (wrongHost !== undefined) throw wrongHost;
  const { fromMs, toMs } = verifyChain(chainOf(socket), trustedCertificates(ca));
  const timeMs = time.kind === "at" ? time.timeMs : Math.max(time.fromMs, fromMs);
  if (timeMs < fromMs) throw new CertificateError("CERT_NOT_YET_VALID", "certificate is not yet valid");
  if (timeMs > toMs) throw new CertificateError("CERT_HAS_EXPIRED", "certificate has expired");
  if (time.kind === "any") time.found({ fromMs, toMs });
}

function chainOf(socket: tls.TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  let next: tls.DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate;
  }
  return chain;
}

function trustedCertificates(ca: string | undefined): readonly X509Certificate[] {
  const pems =
    ca?.match(
      /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g,
    ) ??
    // Node has it since 22.15: with those that the operator added.
    tls.getCACertificates?.("default") ??
    tls.rootCertificates;
  return pems.map((pem) => new X509Certificate(pem));
}
