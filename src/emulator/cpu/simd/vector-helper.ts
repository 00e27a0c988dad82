import type { CpuState } from '../cpu-state.ts';
import { XMM } from '../state.ts';
import { aesDecrypt, aesEncrypt, aesKeyAssist, aesMixInverse } from './aes.ts';
import { multiplyCarryless } from './carryless.ts';
import { permuteDwords, permuteHalves, permuteQwords, shiftEach } from './permutes.ts';
import {
  sha1Message1,
  sha1Message2,
  sha1Next,
  sha1Rounds,
  sha256Message1,
  sha256Message2,
  sha256Rounds,
} from './sha.ts';
import { compareStrings } from './string-compare.ts';
import { VECTOR_OPERATION as OPERATION } from './vector-operations.ts';

/** Bits of PCMPSTR's control word above the immediate. */
const EXPLICIT = 0x0100_0000;
const MASK_RESULT = 0x0200_0000;

/** Vector instructions that run in TypeScript: 16 bytes at `destination` and `source`, offsets in Wasm memory. */
export class VectorHelper {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;

  constructor(state: CpuState) {
    this.#view = state.view;
    this.#bytes = state.bytes;
  }

  run(operation: number, destination: number, source: number, immediate: number): number {
    const view = this.#view;
    const bytes = this.#bytes;
    switch (operation) {
      case OPERATION.PHMINPOSUW:
        this.#smallestWord(destination, source);
        break;
      case OPERATION.MPSADBW:
        this.#sumsOfDifferences(destination, source, immediate);
        break;
      case OPERATION.PCMPSTR:
        return this.#compareStrings(destination, source, immediate);
      case OPERATION.AESENC:
      case OPERATION.AESENCLAST:
        aesEncrypt(bytes, destination, source, operation === OPERATION.AESENCLAST);
        break;
      case OPERATION.AESDEC:
      case OPERATION.AESDECLAST:
        aesDecrypt(bytes, destination, source, operation === OPERATION.AESDECLAST);
        break;
      case OPERATION.AESIMC:
        aesMixInverse(bytes, destination, source);
        break;
      case OPERATION.AESKEYGENASSIST:
        aesKeyAssist(view, destination, source, immediate);
        break;
      case OPERATION.PCLMULQDQ:
        multiplyCarryless(view, destination, source, immediate);
        break;
      case OPERATION.SHA1NEXTE:
        sha1Next(view, destination, source);
        break;
      case OPERATION.SHA1MSG1:
        sha1Message1(view, destination, source);
        break;
      case OPERATION.SHA1MSG2:
        sha1Message2(view, destination, source);
        break;
      case OPERATION.SHA1RNDS4:
        sha1Rounds(view, destination, source, immediate);
        break;
      case OPERATION.SHA256RNDS2:
        sha256Rounds(view, destination, source, XMM);
        break;
      case OPERATION.SHA256MSG1:
        sha256Message1(view, destination, source);
        break;
      case OPERATION.SHA256MSG2:
        sha256Message2(view, destination, source);
        break;
      default:
        this.#permute(operation, destination, source, immediate);
    }
    return 0;
  }

  #permute(operation: number, destination: number, source: number, control: number): void {
    const view = this.#view;
    if (operation === OPERATION.VPERMD) permuteDwords(view, destination, source);
    else if (operation === OPERATION.VPERMQ) permuteQwords(view, destination, source, control);
    else if (operation === OPERATION.VPERM2F128) permuteHalves(view, destination, source, control);
    else {
      const kind = operation === OPERATION.VPSLLV ? 'left' : operation === OPERATION.VPSRLV ? 'right' : 'arithmetic';
      const byteLength = (control & 0x200) !== 0 ? 32 : 16;
      shiftEach(view, destination, source, kind, { quadwords: (control & 0x100) !== 0, byteLength });
    }
  }

  #smallestWord(destination: number, source: number): void {
    const view = this.#view;
    let smallest = 0x1_0000;
    let place = 0;
    for (let index = 0; index < 8; index++) {
      const value = view.getUint16(source + index * 2, true);
      if (value >= smallest) continue;
      smallest = value;
      place = index;
    }
    view.setUint32(destination, smallest | (place << 16), true);
    view.setUint32(destination + 4, 0, true);
    view.setBigUint64(destination + 8, 0n, true);
  }

  /** MPSADBW: eight sums of four absolute differences, one step apart in the destination. */
  #sumsOfDifferences(destination: number, source: number, immediate: number): void {
    const bytes = this.#bytes;
    const first = destination + (immediate & 4);
    const second = source + (immediate & 3) * 4;
    const sums = Array.from({ length: 8 }, (_, index) => {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += Math.abs(bytes[first + index + k] - bytes[second + k]);
      return sum;
    });
    sums.forEach((sum, index) => {
      this.#view.setUint16(destination + index * 2, sum, true);
    });
  }

  /** RFLAGS in bits 15:0, the index from bit 16 on; a mask goes to XMM0. */
  #compareStrings(destination: number, source: number, control: number): number {
    const view = this.#view;
    const explicit = (control & EXPLICIT) !== 0;
    const lengthA = explicit ? (control >> 8) & 0xff : -1;
    const lengthB = explicit ? (control >> 16) & 0xff : -1;
    const { bits, count, flags } = compareStrings(view, destination, source, control & 0xff, lengthA, lengthB);
    const top = (control & 0x40) !== 0;
    if ((control & MASK_RESULT) !== 0) {
      const size = 16 / count;
      for (let index = 0; index < 16; index++) {
        const bit = top ? bits >> Math.floor(index / size) : 0;
        this.#bytes[XMM + index] = top ? ((bit & 1) !== 0 ? 0xff : 0) : index < 2 ? (bits >> (index * 8)) & 0xff : 0;
      }
      return flags;
    }
    let index: number = count;
    if (bits !== 0) index = top ? 31 - Math.clz32(bits) : 31 - Math.clz32(bits & -bits);
    return flags | (index << 16);
  }
}
