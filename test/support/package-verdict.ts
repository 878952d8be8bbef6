import { basename } from "node:path";
import { examineSignature } from "../../src/ota/verification/examine-signature.ts";
import { loadTrustedKeys } from "../../src/ota/verification/key-directory.ts";
import { digestPackage } from "../../src/ota/verification/package-digests.ts";
import { readSignatureFile } from "../../src/ota/verification/signature-file.ts";
import { decide, type SignaturePolicy } from "../../src/ota/verification/signature-policy.ts";

/** What a gateway with that key directory says of a package, with its signature beside it. */
export async function packageVerdict(
  keyDirectory: string,
  packagePath: string,
  { policy = "if-keys", signaturePath = `${packagePath}.minisig` }: VerdictOptions = {},
): Promise<string> {
  const keys = await loadTrustedKeys(keyDirectory);
  const state = await examineSignature({
    answer: await readSignatureFile(signaturePath),
    keys,
    packageFile: basename(packagePath),
    prehash: async () => (await digestPackage(packagePath)).blake2b512,
  });
  const decision = decide(policy, keys, state);
  return decision.kind === "accepted" ? `accepted, key ${decision.keyId}` : decision.code;
}

interface VerdictOptions {
  readonly policy?: SignaturePolicy;
  readonly signaturePath?: string;
}
