import type { HandlerKey } from '../interpreter/handlers.ts';
import { FORM } from '../interpreter/micro-op.ts';

/** Rows whose semantic tells a watch of its numbers (isa/float-watch.ts). */
const WATCHED = /^(ADD|SUB|MUL|DIV|SQRT)[PS][SD]$/;
/** Rows that only move bits between vector registers, or there from memory: no flags, no helpers, no branches. */
const QUIET =
  /^(MOV([AU]P[SD]|S[SD]|DQ[AU]|[DQ]|[LH]P[SD])|UNPCK[LH]P[SD]|SHUFP[SD]|PSHUFD|(AND|ANDN|OR|XOR)P[SD]|P(AND|ANDN|OR|XOR))$/;

const writesXmm = ({ entry }: HandlerKey): boolean => entry.row.operands[0]?.startsWith('V') === true;

/** Its numbers can be looked at with those of other instructions. */
export const isWatched = (key: HandlerKey): boolean => writesXmm(key) && WATCHED.test(key.entry.row.mnemonic);

/** It stores a low lane and leaves registers alone. */
export const isScalarStore = ({ entry, form }: HandlerKey): boolean =>
  form !== FORM.REGISTER && /^MOVS[SD]$/.test(entry.row.mnemonic) && entry.row.operands[0].startsWith('W');

/** It may stand between such instructions: nothing but a vector register changes. */
export const isQuiet = (key: HandlerKey): boolean => writesXmm(key) && QUIET.test(key.entry.row.mnemonic);
