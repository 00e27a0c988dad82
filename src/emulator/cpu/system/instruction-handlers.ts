import type { SystemHandler } from '../system-context.ts';
import { SYSTEM_HANDLERS } from './handlers.ts';

/** Every instruction that runs in TypeScript, by the mnemonic of its row. */
export const INSTRUCTION_HANDLERS: Readonly<Record<string, SystemHandler>> = {
  ...SYSTEM_HANDLERS,
};
