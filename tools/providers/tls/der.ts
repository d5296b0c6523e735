// DER, the encoding of keys and certificates: what X.509 needs of it.

/** One element: its tag, the length of its content and the content. */
export function element(tag: number, ...content: Buffer[]): Buffer {
  const all = Buffer.concat(content);
  if (all.length < 0x80) return Buffer.concat([Buffer.from([tag, all.length]), all]);
  const length = Buffer.from(evenHex(BigInt(all.length)), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, all]);
}

export const sequence = (...elements: Buffer[]) => element(0x30, ...elements);
/** The encoding wants the elements in the order of their bytes. */
export const set = (...elements: Buffer[]) => element(0x31, ...elements.sort((a, b) => a.compare(b)));
export const octets = (content: Buffer) => element(0x04, content);
export const yes = element(0x01, Buffer.from([0xff]));
export const nothing = element(0x05);
/** `[number]`: a constructed element of the context, around others. */
export const tagged = (number: number, ...elements: Buffer[]) => element(0xa0 | number, ...elements);
/** `[number]` in place of a primitive element's own tag. */
export const implicit = (number: number, content: Buffer) => element(0x80 | number, content);

function evenHex(value: bigint): string {
  const hex = value.toString(16);
  return hex.length % 2 ? `0${hex}` : hex;
}

/** A number that is not negative. */
export function integer(value: bigint | number): Buffer {
  const bytes = Buffer.from(evenHex(BigInt(value)), "hex");
  return bytes[0] & 0x80 ? element(0x02, Buffer.from([0]), bytes) : element(0x02, bytes);
}

export const bits = (content: Buffer, unused = 0) => element(0x03, Buffer.from([unused]), content);

/** A bit string in which these bits are set; 0 is the first one. */
export function flags(numbers: number[]): Buffer {
  const last = Math.max(...numbers);
  const bytes = Buffer.alloc((last >> 3) + 1);
  for (const number of numbers) bytes[number >> 3] |= 0x80 >> (number & 7);
  return bits(bytes, 7 - (last & 7));
}

/** An object identifier: `2.5.29.17`. */
export function identifier(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const groups = [first * 40 + second, ...rest].map((number) => {
    const sevens = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) sevens.unshift(0x80 | (left & 0x7f));
    return Buffer.from(sevens);
  });
  return element(0x06, ...groups);
}

/** Text of the smaller alphabet that names like best, or of any. */
export function text(value: string): Buffer {
  const isPrintable = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value);
  return element(isPrintable ? 0x13 : 0x0c, Buffer.from(value));
}

export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+|[-T:]/g, ""); // 20250131235959Z
  return date.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits));
}

/** What is inside of an element. */
export function content(whole: Buffer): Buffer {
  return whole.subarray(header(whole), header(whole) + size(whole));
}

/** The elements inside of an element, each as a whole. */
export function elements(whole: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let left = content(whole); left.length > 0; left = left.subarray(found[found.length - 1].length)) {
    found.push(left.subarray(0, header(left) + size(left)));
  }
  return found;
}

function header(whole: Buffer): number {
  return whole[1] < 0x80 ? 2 : 2 + (whole[1] & 0x7f);
}

function size(whole: Buffer): number {
  return whole[1] < 0x80 ? whole[1] : whole.readUIntBE(2, whole[1] & 0x7f);
}

export function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g)!;
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

export function fromPem(label: string, whole: string): Buffer {
  const [, base64] = new RegExp(`-----BEGIN ${label}-----([^-]+)-----END ${label}-----`).exec(whole) ?? [];
  if (!base64) throw new Error(`failed to decode PEM block containing ${label.toLowerCase()}`);
  return Buffer.from(base64, "base64");
}
