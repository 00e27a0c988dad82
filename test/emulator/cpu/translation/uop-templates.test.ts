import { expect, test } from 'vitest';
import { decode } from '../../../../src/emulator/cpu/decode/decoder.ts';
import { HandlerTable } from '../../../../src/emulator/cpu/interpreter/handlers.ts';
import { UOP } from '../../../../src/emulator/cpu/interpreter/micro-op.ts';
import { MAX_CPU_MODEL } from '../../../../src/emulator/cpu/model/cpu-model.ts';
import { UopTemplates } from '../../../../src/emulator/cpu/translation/uop-templates.ts';
import { writeUop } from '../../../../src/emulator/cpu/translation/uop-writer.ts';
import { loadVectors } from '../../../oracle/cpu-vectors/load.ts';

const PAGE = 0x1000;
const CODE_SIZES = { 16: 0, 32: 1, 64: 2 } as const;
/** Where the code stands in its page: branches of all lengths reach out of it on some of them. */
const OFFSETS = [0, 0x7f1, 0xfe0] as const;
const LEARNED_AT = 0x100;
const UOP_ADDRESS = PAGE;

const { features } = MAX_CPU_MODEL;
const bytes = new Uint8Array(2 * PAGE);
const view = new DataView(bytes.buffer);
const handlers = new HandlerTable(features);
const templates = new UopTemplates(bytes, handlers);

const microOp = (): Buffer => Buffer.from(bytes.slice(UOP_ADDRESS, UOP_ADDRESS + UOP.BYTE_LENGTH));

function decodeInto(offset: number, codeSize: number) {
  const decoded = decode(bytes, offset, PAGE, codeSize, features);
  if (typeof decoded === 'string') return undefined;
  writeUop(view, UOP_ADDRESS, decoded, { codeSize, pageOffset: offset, remaining: 0 }, handlers);
  return decoded;
}

/** Shows `templates` an instruction of a shape. */
function teach(code: Uint8Array, codeSize: number): void {
  bytes.set(code, LEARNED_AT);
  if (templates.write(UOP_ADDRESS, LEARNED_AT, PAGE, codeSize, LEARNED_AT)) return;
  const decoded = decodeInto(LEARNED_AT, codeSize);
  if (decoded !== undefined) templates.learn(decoded, UOP_ADDRESS, codeSize);
}

/** What the shape gives at `offset`, and what decoding gives; undefined when the shape is not kept. */
function both(code: Uint8Array, codeSize: number, offset: number): readonly [Buffer, Buffer] | undefined {
  bytes.set(code, offset);
  if (!templates.write(UOP_ADDRESS, offset, PAGE, codeSize, offset)) return undefined;
  const known = microOp();
  bytes.fill(0xee, UOP_ADDRESS, UOP_ADDRESS + UOP.BYTE_LENGTH);
  decodeInto(offset, codeSize);
  return [known, microOp()];
}

test('an instruction whose shape is known gives the micro-op that decoding it gives', () => {
  const seen = new Set<string>();
  let compared = 0;
  for (const vector of loadVectors()) {
    const codeSize = CODE_SIZES[vector.mode];
    const text = `${vector.name}, ${vector.mode}-bit code, ${Buffer.from(vector.bytes).toString('hex')}`;
    if (vector.name.startsWith('sequence') || seen.has(text)) continue;
    seen.add(text);
    // The last byte belongs to a displacement or an immediate, where there is one: the shape learned from another one must do.
    const other = vector.bytes.slice();
    other[other.length - 1] ^= 0x55;
    teach(other, codeSize);
    for (const offset of OFFSETS) {
      const found = both(vector.bytes, codeSize, offset);
      if (found === undefined) continue;
      compared++;
      if (!found[0].equals(found[1])) expect(found[0].toString('hex'), text).toBe(found[1].toString('hex'));
    }
  }
  expect(compared).toBeGreaterThan(10_000);
});
