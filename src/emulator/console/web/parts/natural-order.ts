/** Sort keys of texts for people: compared character by character, they come in the order that a person expects. */

/** `meter 9` before `meter 10`, whatever the case of letters. */
export function naturalOrder(text: string): string {
  return text.toLowerCase().replaceAll(/\d+/g, (digits) => digits.padStart(15, "0"));
}

/** The same for serial numbers; the hexadecimal ones of MAC addresses have their length already. */
export function serialOrder(sn: string): string {
  return /^[0-9a-f:-]{12,}$/i.test(sn) ? sn.toUpperCase() : naturalOrder(sn);
}
