/** What the emulator keeps, as the rest of the program sees it: no trace of how it is stored. Times: unix seconds. */

/** A dataport value: bytes, since a value must arrive byte for byte. */
export type Value = Buffer;

export interface Point {
  readonly ts: number;
  readonly value: Value;
}

/** The product owner: holds models, tokens and vendor names, and acts on every device of its models. */
export interface Owner {
  readonly id: number;
  readonly rid: string;
  readonly cik: string;
}

/** On Murano a product is one model of its own name. */
export interface Model {
  readonly id: number;
  readonly ownerId: number;
  readonly name: string;
  /** The client whose dataports new devices of this model get; empty: only the gateway's six. */
  readonly rid: string;
  readonly options: string;
}

export type SerialStatus = "activated" | "notactivated" | "expired" | "";

export interface Serial {
  readonly sn: string;
  readonly extra: string;
  /** Empty status and rid: no client was ever made for it. */
  readonly status: SerialStatus;
  readonly rid: string;
}

/** A device that holds a CIK, or may come to hold one. */
export interface Client {
  readonly id: number;
  readonly rid: string;
  readonly ownerId: number;
  readonly model: string;
  readonly modelId: number;
  readonly sn: string;
}

export interface Dataport {
  readonly id: number;
  readonly rid: string;
  /** Null after its alias was taken away by RPC. */
  readonly alias: string | null;
  readonly name: string;
  readonly format: DataportFormat;
  readonly createdAt: number;
  /** Timestamp of the latest value. */
  readonly currentTs: number | null;
}

export type DataportFormat = "string" | "integer" | "float";

/** A dataport by its alias or by its rid. */
export type DataportRef = { readonly alias: string } | { readonly rid: string };

export interface ContentInfo {
  readonly id: string;
  readonly meta: string;
  readonly protected: boolean;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly updatedAt: number;
  /** Name of the blob's file; undefined until something was uploaded. */
  readonly blob: string | undefined;
}

export type MemberType = "sn" | "content" | "group";

export interface Member {
  readonly type: MemberType;
  readonly id: string;
  /** Undefined: for ever. */
  readonly expire: number | undefined;
  readonly meta: string;
}

export interface ActivationLogEntry {
  readonly ts: number;
  /** Where the request came from. */
  readonly connection: string;
  readonly entry: string;
}

/** Serials allowed without being listed one by one. Numbers are decimal text: 16 hex digits exceed a double. */
export interface SerialRange {
  readonly format: "base10" | "base16" | "mac:48" | "mac-48" | "mac.48";
  readonly length: number;
  readonly casing: "upper" | "lower" | null;
  readonly first: string;
  readonly last: string;
}

export interface Page {
  readonly offset: number;
  readonly limit: number;
}
