import type { X509Certificate } from "node:crypto";
import {
  Boolean as Asn1Boolean,
  type AsnType,
  BitString,
  Constructed,
  fromBER,
  Integer,
  ObjectIdentifier,
  OctetString,
} from "asn1js";
import { CertificateError } from "./certificate-error.ts";

export type KeyUse = "digitalSignature" | "keyEncipherment" | "keyAgreement" | "keyCertSign";

/** What of a certificate Node does not tell (RFC 5280, 4.1 and 4.2). */
export interface CertificateFields {
  /** Object identifier of the signature's algorithm. */
  readonly signature: string;
  readonly isAuthority: boolean;
  /** How many authorities may stand between this one and the end of the chain; undefined: any number. */
  readonly longestPath: number | undefined;
  /** Undefined where the certificate does not restrict it. */
  readonly keyUsage: ReadonlySet<KeyUse> | undefined;
  /** Object identifiers of extended key usage; undefined likewise. */
  readonly purposes: readonly string[] | undefined;
  /** A critical extension that is not among those that are heeded here: the certificate must not be relied upon. */
  readonly unknownCritical: string | undefined;
}

const extensions = {
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
} as const;
/** Of no matter here, or heeded by Node: names, policies that nobody asks for, identifiers of keys. */
const harmless: ReadonlySet<string> = new Set(["2.5.29.14", "2.5.29.17", "2.5.29.32", "2.5.29.35"]);
/** Constraints on names bind whether they are marked as critical or not. */
const nameConstraints = "2.5.29.30";
const keyUses: readonly (readonly [bit: number, use: KeyUse])[] = [
  [0, "digitalSignature"],
  [2, "keyEncipherment"],
  [4, "keyAgreement"],
  [5, "keyCertSign"],
];

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: AsnType;
}

/** @throws CertificateError where it is not built as it should be */
export function parseCertificate({ raw }: Pick<X509Certificate, "raw">): CertificateFields {
  const [body, algorithm] = childrenOf(decode(raw));
  const fields = childrenOf(body);
  const signature = oidOf(childrenOf(algorithm)[0]);
  // [0] the version, then the serial number, then once more the algorithm: by this one it is signed.
  if (oidOf(childrenOf(fields[2])[0]) !== signature) throw malformed();
  const found = new Map(extensionsOf(fields).map((one) => [one.id, one]));
  const basic = found.get(extensions.basicConstraints);
  const [authority, longest] = basic === undefined ? [] : childrenOf(basic.value);
  const isAuthority = authority instanceof Asn1Boolean && authority.valueBlock.value;
  const usage = found.get(extensions.keyUsage)?.value;
  const purposes = found.get(extensions.extendedKeyUsage)?.value;
  const isHeeded = (id: string): boolean =>
    harmless.has(id) || Object.values<string>(extensions).includes(id);
  return {
    signature,
    isAuthority,
    longestPath: longest instanceof Integer ? longest.valueBlock.valueDec : undefined,
    keyUsage: usage === undefined ? undefined : keyUsesOf(usage),
    purposes: purposes === undefined ? undefined : childrenOf(purposes).map(oidOf),
    unknownCritical: [...found.values()].find(
      ({ id, isCritical }) => id === nameConstraints || (isCritical && !isHeeded(id)),
    )?.id,
  };
}

function extensionsOf(fields: readonly AsnType[]): readonly Extension[] {
  const list = fields.find(({ idBlock }) => idBlock.tagClass === 3 && idBlock.tagNumber === 3);
  if (list === undefined) return [];
  return childrenOf(childrenOf(list)[0]).map((extension) => {
    const parts = childrenOf(extension);
    const critical = parts[1];
    const value = parts.at(-1);
    if (!(value instanceof OctetString)) throw malformed();
    return {
      id: oidOf(parts[0]),
      isCritical: critical instanceof Asn1Boolean && critical.valueBlock.value,
      value: decode(value.valueBlock.valueHexView),
    };
  });
}

function keyUsesOf(value: AsnType): ReadonlySet<KeyUse> {
  if (!(value instanceof BitString)) throw malformed();
  const first = value.valueBlock.valueHexView[0] ?? 0;
  return new Set(keyUses.filter(([bit]) => (first & (0x80 >> bit)) !== 0).map(([, use]) => use));
}

function decode(bytes: Uint8Array): AsnType {
  const { offset, result } = fromBER(bytes);
  if (offset !== bytes.length) throw malformed();
  return result as AsnType;
}

function childrenOf(block: AsnType | undefined): readonly AsnType[] {
  if (!(block instanceof Constructed)) throw malformed();
  return block.valueBlock.value as readonly AsnType[];
}

function oidOf(block: AsnType | undefined): string {
  if (!(block instanceof ObjectIdentifier)) throw malformed();
  return block.valueBlock.toString();
}

function malformed(): CertificateError {
  return new CertificateError("CERT_MALFORMED", "a certificate of the chain is not built as it should be");
}
