import { randomBytes, randomInt } from "node:crypto";

const cikAlphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** 40 characters `[0-9a-zA-Z]`. */
export function newCik(): string {
  return Array.from({ length: 40 }, () => cikAlphabet.charAt(randomInt(cikAlphabet.length))).join("");
}

/** Resource id: 40 hexadecimal digits. */
export function newRid(): string {
  return randomBytes(20).toString("hex");
}

export function newToken(): string {
  return randomBytes(20).toString("hex");
}
