import { SEGMENT, SEGMENT_INDEX, SEGMENTS } from './state.ts';
import { storedRegister } from './stored-registers.ts';

/** Where the state keeps what SYSCALL, SYSRET, SYSENTER, SYSEXIT and SWAPGS work with, for generated code (isa/) and TypeScript (system/). */
export const STAR = storedRegister('STAR');
export const LSTAR = storedRegister('LSTAR');
export const SFMASK = storedRegister('SFMASK');
export const SYSENTER_CS = storedRegister('SYSENTER_CS');
export const SYSENTER_ESP = storedRegister('SYSENTER_ESP');
export const SYSENTER_EIP = storedRegister('SYSENTER_EIP');
export const KERNEL_GS_BASE = storedRegister('KERNEL_GS_BASE');
export const GS_BASE = SEGMENTS + SEGMENT_INDEX.GS * SEGMENT.BYTE_LENGTH + SEGMENT.BASE;
