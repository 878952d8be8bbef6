const namePattern = /^[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,99}\.v[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}\.tar\.gz$/;

/** What makes a file useless to every gateway, noticed before it is sent; undefined: nothing. */
export async function packageProblem(file: File): Promise<string | undefined> {
  // A signature of a package is content of its own, beside it.
  if (file.name.endsWith(".tar.gz.minisig")) return undefined;
  if (!namePattern.test(file.name)) return "gateways only know <app>.v<version>.tar.gz";
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (first !== 0x1f || second !== 0x8b) return "this is no gzip file";
  return undefined;
}
