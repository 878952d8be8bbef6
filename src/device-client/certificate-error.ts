import { GweError } from "../core/errors.ts";

/** A server's certificates are not acceptable. `code` is OpenSSL's word where it has one. */
export class CertificateError extends GweError {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
