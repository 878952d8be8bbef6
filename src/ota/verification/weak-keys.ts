// The points of Curve25519 whose order is at most 8, as little-endian y coordinates (0, 1, the two of order 8, p - 1,
// and the second spellings p and p + 1). With such a "key" the equation that verifies a signature holds for made-up
// ones. Node 24.21 refuses them while verifying; older ones, of which a system's Node may be one, verify the forgery.
const smallOrderPoints = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/** Whether anybody can make signatures that an Ed25519 public key of 32 bytes verifies: a file of zeros, say. */
export function isWeakKey(raw: Uint8Array): boolean {
  const y = Buffer.from(raw);
  // The highest bit is the sign of x.
  y.writeUInt8(y.readUInt8(31) & 0x7f, 31);
  return smallOrderPoints.includes(y.toString("hex"));
}
