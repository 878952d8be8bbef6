/** Bytes of each interface from `/proc/net/dev`; lines that are not of its form are left out. */
export function parseNetDev(text: string): readonly { name: string; rx: number; tx: number }[] {
  return text.split("\n").flatMap((line) => {
    const [, name, numbers] = /^\s*(\S+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || numbers === undefined) return [];
    const columns = numbers.trim().split(/\s+/).map(Number);
    const [rx, tx] = [columns[0], columns[8]];
    if (rx === undefined || tx === undefined || !Number.isFinite(rx) || !Number.isFinite(tx)) return [];
    return [{ name, rx, tx }];
  });
}
