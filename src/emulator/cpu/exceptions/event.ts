/**
 * What is delivered through the IDT.
 * - `fault`: an exception that points at the instruction that caused it (RIP);
 * - `trap`: an exception after the instruction (NEXT_RIP): single step, INT1;
 * - `software`: INT n, INT3, INTO (NEXT_RIP; the gate's DPL counts; EXT stays 0);
 * - `external`: a maskable interrupt, between instructions (RIP);
 * - `nmi`: vector 2, blocks further ones until IRET.
 */
export type EventKind = 'fault' | 'trap' | 'software' | 'external' | 'nmi';

export interface CpuEvent {
  readonly vector: number;
  /** −1: none. */
  readonly errorCode: number;
  readonly kind: EventKind;
}
