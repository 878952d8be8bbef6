import { describe, expect, it } from "vitest";
import type { SignatureState } from "../../../../src/ota/verification/examine-signature.ts";
import {
  decide,
  needsSignature,
  type SignaturePolicy,
} from "../../../../src/ota/verification/signature-policy.ts";
import { signatureSourceOf } from "../../../../src/ota/verification/signature-source.ts";
import {
  readTrustedKeys,
  type TrustedKeys,
  unreadableKeys,
} from "../../../../src/ota/verification/trusted-keys.ts";
import { MinisignSigner } from "../../../support/minisign-signer.ts";

const signer = new MinisignSigner();
const keyId = signer.id;
const pub = { name: "a.pub", bytes: Buffer.from(signer.publicKeyText) };
const broken = { name: "b.pub", bytes: Buffer.from("untrusted comment: x\nRWQ\n") };
const revocation = (text: string) => ({ name: "revoked", bytes: Buffer.from(text) });

const directories = {
  empty: readTrustedKeys([]),
  good: readTrustedKeys([pub]),
  "good and broken": readTrustedKeys([pub, broken]),
  broken: readTrustedKeys([broken]),
  revoked: readTrustedKeys([pub, revocation(keyId)]),
  "only a revocation list": readTrustedKeys([revocation("")]),
  "torn revocation list": readTrustedKeys([pub, revocation("9254")]),
  unreadable: unreadableKeys("/etc/gateway-engine/keys cannot be read: EACCES"),
} satisfies Record<string, TrustedKeys>;

const valid: SignatureState = { kind: "valid", keyId, trustedComment: "file:meter.v1.tar.gz" };
const refusals: Exclude<SignatureState, { kind: "valid" }>[] = [
  { kind: "missing", lookedFor: "no content meter.v1.tar.gz.minisig" },
  { kind: "malformed", line: 2, problem: "not the base64 text of 74 bytes" },
  { kind: "malformed", line: null, problem: "empty: not a minisign signature" },
  { kind: "legacy", keyId },
  { kind: "unknown-key", keyId },
  { kind: "revoked-key", keyId },
  { kind: "altered", keyId },
  { kind: "other-name", keyId, names: ["meter.v1.tar.gz"] },
  { kind: "other-name", keyId, names: [] },
  { kind: "other-file", keyId },
];

describe("the signature policy", () => {
  it.each<[keyof typeof directories, Record<SignaturePolicy, "unsigned" | "signed" | "nothing">]>([
    ["empty", { never: "unsigned", "if-keys": "unsigned", always: "nothing" }],
    ["good", { never: "unsigned", "if-keys": "signed", always: "signed" }],
    ["good and broken", { never: "unsigned", "if-keys": "signed", always: "signed" }],
    ["broken", { never: "unsigned", "if-keys": "nothing", always: "nothing" }],
    ["revoked", { never: "unsigned", "if-keys": "nothing", always: "nothing" }],
    ["only a revocation list", { never: "unsigned", "if-keys": "nothing", always: "nothing" }],
    ["torn revocation list", { never: "unsigned", "if-keys": "nothing", always: "nothing" }],
    ["unreadable", { never: "unsigned", "if-keys": "nothing", always: "nothing" }],
  ])("with the key directory %s accepts what it says", (name, expected) => {
    const keys = directories[name];
    for (const policy of ["never", "if-keys", "always"] as const) {
      const accepted = expected[policy];
      expect([policy, needsSignature(policy, keys)]).toEqual([policy, accepted !== "unsigned"]);
      expect([policy, decide(policy, keys, valid).kind]).toEqual([
        policy,
        accepted === "nothing" ? "refused" : "accepted",
      ]);
      for (const state of refusals) {
        expect([policy, state.kind, decide(policy, keys, state).kind]).toEqual([
          policy,
          state.kind,
          accepted === "unsigned" ? "accepted" : "refused",
        ]);
      }
    }
  });

  it("names the key that vouches for a package", () => {
    expect(decide("always", directories.good, valid)).toEqual({ kind: "accepted", keyId });
    expect(decide("never", directories.good, valid)).toEqual({ kind: "accepted", keyId: null });
  });

  it("gives each refusal a reason of its own, with the key or the place", () => {
    const reasons = refusals.map((state) => {
      const decision = decide("always", directories.good, state);
      if (decision.kind === "accepted") return expect.fail(`${state.kind} was accepted`);
      expect(decision.code).toBe(state.kind);
      if ("keyId" in state) expect(decision.reason).toContain(keyId);
      return decision.reason;
    });
    expect(new Set(reasons).size).toBe(refusals.length);
    expect(reasons[0]).toBe(
      "a signature is required, and there is none (no content meter.v1.tar.gz.minisig)",
    );
    expect(reasons[1]).toBe("the signature is malformed: line 2: not the base64 text of 74 bytes");
    expect(reasons[2]).toBe("the signature is malformed: empty: not a minisign signature");
    expect(reasons[7]).toContain('is for "meter.v1.tar.gz", not for this package');
  });

  it.each<[keyof typeof directories, RegExp]>([
    ["empty", /this gateway has no key$/],
    ["broken", /no usable key \(b\.pub line 2: /],
    ["revoked", /all keys of this gateway are revoked/],
    ["unreadable", /keys cannot be read: EACCES/],
    ["torn revocation list", /revoked line 1: not a key id/],
  ])("says what is wrong with the key directory: %s", (name, reason) => {
    expect(decide("always", directories[name], valid)).toMatchObject({
      kind: "refused",
      reason: expect.stringMatching(reason),
    });
  });
});

describe("where a signature is looked for", () => {
  it("is in the command first, else beside the package", () => {
    const content = { kind: "content", id: "meter.v1.tar.gz" } as const;
    expect(signatureSourceOf(content, "text")).toEqual({ kind: "inline", text: "text" });
    expect(signatureSourceOf(content, null)).toEqual({ kind: "content", id: "meter.v1.tar.gz.minisig" });
    expect(signatureSourceOf({ kind: "file", path: "/tmp/meter.v1.tar.gz" }, null)).toEqual({
      kind: "file",
      path: "/tmp/meter.v1.tar.gz.minisig",
    });
  });
});
