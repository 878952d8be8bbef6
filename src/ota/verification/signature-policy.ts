import { unreachable } from "../../core/errors.ts";
import type { SignatureState } from "./examine-signature.ts";
import type { TrustedKeys } from "./trusted-keys.ts";

/** `require_signature`: whether packages need one. `if-keys`: as soon as the key directory holds anything of ours. */
export type SignaturePolicy = "never" | "if-keys" | "always";

export type RefusalCode =
  | Exclude<SignatureState["kind"], "valid">
  /** A signature is required and there is no key to verify it with. */
  | "no-usable-key"
  /** Any key might be revoked. */
  | "revocation-list-unreadable";

export type SignatureDecision =
  /** `keyId`: of the key that vouches for the package; null when no signature was asked for. */
  | { readonly kind: "accepted"; readonly keyId: string | null }
  /** `reason` is for the operator who sent the command. */
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly reason: string };

/** Whether packages need a signature: when not, none is fetched or looked at. */
export function needsSignature(policy: SignaturePolicy, keys: Pick<TrustedKeys, "isConfigured">): boolean {
  switch (policy) {
    case "never":
      return false;
    case "if-keys":
      return keys.isConfigured;
    case "always":
      return true;
    default:
      return unreachable(policy);
  }
}

/** Whether a package may be unpacked. Whatever is in doubt is refused. */
export function decide(policy: SignaturePolicy, keys: TrustedKeys, state: SignatureState): SignatureDecision {
  if (!needsSignature(policy, keys)) return { kind: "accepted", keyId: null };
  if (keys.revocationProblem !== null) {
    return refused(
      "revocation-list-unreadable",
      `no signature is trusted while the list of revoked keys cannot be read (${keys.revocationProblem})`,
    );
  }
  if (!keys.keys.some(({ id }) => !keys.revoked.has(id))) {
    return refused("no-usable-key", `a signature is required, and ${whyNoKey(keys)}`);
  }
  if (state.kind === "valid") return { kind: "accepted", keyId: state.keyId };
  return refused(state.kind, reasonFor(state));
}

function refused(code: RefusalCode, reason: string): SignatureDecision {
  return { kind: "refused", code, reason };
}

function whyNoKey({ keys, problems }: TrustedKeys): string {
  if (problems.length > 0) return `this gateway has no usable key (${problems.slice(0, 3).join("; ")})`;
  return keys.length > 0 ? "all keys of this gateway are revoked" : "this gateway has no key";
}

function reasonFor(state: Exclude<SignatureState, { kind: "valid" }>): string {
  switch (state.kind) {
    case "missing":
      return `a signature is required, and there is none (${state.lookedFor})`;
    case "malformed": {
      const place = state.line === null ? "" : ` line ${state.line}:`;
      return `the signature is malformed:${place} ${state.problem}`;
    }
    case "legacy":
      return `the signature by key ${state.keyId} is of minisign's legacy kind, which is not accepted: sign without -l (minisign before 0.10: with -H)`;
    case "unknown-key":
      return `the signature is by key ${state.keyId}, which this gateway does not trust`;
    case "revoked-key":
      return `the signature is by key ${state.keyId}, which is revoked`;
    case "altered":
      return `the signature by key ${state.keyId} was altered after it was made: it does not confirm its own trusted comment`;
    case "other-name":
      return state.names.length === 0
        ? `the signature by key ${state.keyId} does not say which package it is for: its trusted comment needs "file:" and the package's name, as minisign writes it by default`
        : `the signature by key ${state.keyId} is for ${state.names.map(quoted).join(" and ")}, not for this package`;
    case "other-file":
      return `the signature by key ${state.keyId} is of another file: the package is not the one that was signed`;
    default:
      return unreachable(state);
  }
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
