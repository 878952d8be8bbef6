import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { TrustedKey } from "../../src/ota/verification/trusted-keys.ts";

export interface SignatureOptions {
  readonly mode?: "ED" | "Ed";
  readonly trustedComment?: string;
}

/** Writes keys and signatures in minisign's format from its description, to make any that the program would not. */
export class MinisignSigner {
  readonly idBytes: Buffer;
  readonly raw: Buffer;
  private readonly privateKey;

  constructor(idBytes: Buffer = randomBytes(8)) {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.idBytes = idBytes;
    this.raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
    this.privateKey = privateKey;
  }

  get id(): string {
    return Buffer.from(this.idBytes).reverse().toString("hex").toUpperCase();
  }

  get publicKeyText(): string {
    return publicKeyText(this.idBytes, this.raw);
  }

  trusted(file = "test.pub"): TrustedKey {
    return { id: this.id, raw: this.raw, file };
  }

  sign(data: Uint8Array, { mode = "ED", trustedComment = "" }: SignatureOptions = {}): Buffer {
    const message = mode === "ED" ? createHash("blake2b512").update(data).digest() : data;
    const signature = sign(null, message, this.privateKey);
    const global = sign(null, Buffer.concat([signature, Buffer.from(trustedComment)]), this.privateKey);
    return Buffer.from(
      [
        "untrusted comment: signature from a test",
        Buffer.concat([Buffer.from(mode), this.idBytes, signature]).toString("base64"),
        `trusted comment: ${trustedComment}`,
        global.toString("base64"),
        "",
      ].join("\n"),
    );
  }
}

export function publicKeyText(idBytes: Uint8Array, raw: Uint8Array): string {
  const data = Buffer.concat([Buffer.from("Ed"), idBytes, raw]);
  return `untrusted comment: minisign public key\n${data.toString("base64")}\n`;
}
