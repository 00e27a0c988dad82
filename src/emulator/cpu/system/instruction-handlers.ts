import { SIMD_HANDLERS } from '../simd/handlers.ts';
import type { SystemHandler } from '../system-context.ts';
import { X87_HANDLERS } from '../x87/handlers.ts';
import { SYSTEM_HANDLERS } from './handlers.ts';

/** Every instruction that runs in TypeScript, by the mnemonic of its row. */
export const INSTRUCTION_HANDLERS: Readonly<Record<string, SystemHandler>> = {
  ...SYSTEM_HANDLERS,
  ...X87_HANDLERS,
  ...SIMD_HANDLERS,
};
