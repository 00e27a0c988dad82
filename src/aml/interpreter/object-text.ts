import { quoted } from '../asl/text.ts';
import type { AmlObject } from './objects.ts';

/** What `--json` prints of an object; integers as hexadecimal text, since JSON's numbers hold 53 bits. */
export type AmlObjectJson =
  | string
  | { readonly buffer: string }
  | { readonly text: string }
  | { readonly reference: string }
  | { readonly object: string }
  | readonly AmlObjectJson[];

export function objectJson(object: AmlObject): AmlObjectJson {
  switch (object.type) {
    case 'Integer':
      return hexadecimal(object.value);
    case 'String':
      return { text: object.value };
    case 'Buffer':
      return { buffer: [...object.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
    case 'Package':
      return object.elements.map(objectJson);
    case 'Reference':
      return { reference: object.target.kind === 'Node' ? object.target.node.displayPath : object.target.kind };
    default:
      return { object: object.type };
  }
}

/** ASL-like text over several lines. */
export function objectText(object: AmlObject): string {
  switch (object.type) {
    case 'Integer':
      return hexadecimal(object.value);
    case 'String':
      return quoted(object.value);
    case 'Buffer':
      return bufferText(object.bytes);
    case 'Package': {
      const lines = object.elements.map((element) => objectText(element).replace(/^/gm, '    '));
      return lines.length === 0 ? 'Package {}' : `Package {\n${lines.join(',\n')}\n}`;
    }
    case 'Reference':
      return object.target.kind === 'Node' ? object.target.node.displayPath : `reference to ${object.target.kind}`;
    default:
      return object.type;
  }
}

const hexadecimal = (value: bigint): string => `0x${value.toString(16).toUpperCase()}`;

function bufferText(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    rows.push(
      `    ${[...bytes.subarray(offset, offset + 16)].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ')}`,
    );
  }
  return rows.length === 0 ? 'Buffer {}' : `Buffer {\n${rows.join('\n')}\n}`;
}
