import {
  adjustRequestedPrivilege,
  loadAccessRights,
  loadSegmentLimit,
  verifyRead,
  verifyWrite,
} from '../segmentation/queries.ts';
import type { SystemHandler } from '../system-context.ts';
import { compareExchange8, compareExchange16 } from './compare-exchange.ts';
import {
  clearTaskSwitched,
  invalidateByIdentifier,
  invalidateCaches,
  invalidatePage,
  loadMachineStatusWord,
  moveFromControlRegister,
  moveToControlRegister,
  storeMachineStatusWord,
  undefinedInstruction,
} from './control-registers.ts';
import { identify } from './cpuid.ts';
import { moveFromDebugRegister, moveToDebugRegister } from './debug-registers.ts';
import {
  loadGlobalTable,
  loadInterruptTable,
  loadLocalTable,
  loadTaskRegister,
  storeGlobalTable,
  storeInterruptTable,
  storeLocalTable,
  storeTaskRegister,
} from './descriptor-tables.ts';
import {
  getExtendedControl,
  restoreExtendedState,
  restoreSupervisorState,
  saveCompactedState,
  saveExtendedState,
  saveSupervisorState,
  setExtendedControl,
} from './extended-state.ts';
import {
  callFarMemory,
  callFarPointer,
  enterFrame,
  jumpFarMemory,
  jumpFarPointer,
  returnFar,
  returnFromInterrupt,
} from './far-instructions.ts';
import { swapGsBase, systemCall, systemEnter, systemExit, systemReturn } from './fast-calls.ts';
import {
  clearAlignmentCheck,
  clearInterruptFlag,
  halt,
  pause,
  popFlags,
  pushFlags,
  setAlignmentCheckFlag,
  setInterruptFlag,
} from './flags.ts';
import { readModelSpecificRegister, writeModelSpecificRegister } from './msr-instructions.ts';
import { portIn, portOut, stringIn, stringOut } from './port-io.ts';
import { readProtectionKeys, setProtectionKeys } from './protection-keys.ts';
import { readRandom } from './random.ts';
import { readFsBase, readGsBase, writeFsBase, writeGsBase } from './segment-bases.ts';
import { loadFarPointer, moveFromSegment, moveToSegment, popSegment, pushSegment } from './segment-registers.ts';
import { breakpoint, checkBounds, debugTrap, interruptOnOverflow, softwareInterrupt } from './software-interrupts.ts';
import { readPerformanceCounter, readProcessorId, readTimeStamp, readTimeStampAndAux } from './time-stamp.ts';

/**
 * The instructions that run in TypeScript, by name. Operands as the comments say; everything else comes from DecodedOperands.
 * MOV CR and MOV DR take register operands whatever ModRM.mod holds. Far pointers: `immediate` offset, `immediate2` selector.
 */
export const SYSTEM_HANDLERS = {
  // Control and debug registers: 0F 20–23, 0F 01 /4 /6, 0F 06.
  MOV_FROM_CR: moveFromControlRegister,
  MOV_TO_CR: moveToControlRegister,
  MOV_FROM_DR: moveFromDebugRegister,
  MOV_TO_DR: moveToDebugRegister,
  SMSW: storeMachineStatusWord,
  LMSW: loadMachineStatusWord,
  CLTS: clearTaskSwitched,
  // Descriptor tables: 0F 01 /0–3, 0F 00 /0–3.
  SGDT: storeGlobalTable,
  SIDT: storeInterruptTable,
  LGDT: loadGlobalTable,
  LIDT: loadInterruptTable,
  SLDT: storeLocalTable,
  STR: storeTaskRegister,
  LLDT: loadLocalTable,
  LTR: loadTaskRegister,
  // Queries: 0F 00 /4 /5, 0F 02, 0F 03, 63 (not in 64-bit code).
  VERR: verifyRead,
  VERW: verifyWrite,
  LAR: loadAccessRights,
  LSL: loadSegmentLimit,
  ARPL: adjustRequestedPrivilege,
  // Caches and translations: 0F 01 /7, 0F 08, 0F 09.
  INVLPG: invalidatePage,
  INVPCID: invalidateByIdentifier,
  INVD: invalidateCaches,
  WBINVD: invalidateCaches,
  // Segment registers: 8E, 8C, PUSH and POP, C4 C5 0F B2 0F B4 0F B5.
  MOV_TO_SREG: moveToSegment,
  MOV_FROM_SREG: moveFromSegment,
  PUSH_SREG: pushSegment,
  POP_SREG: popSegment,
  LOAD_FAR_POINTER: loadFarPointer,
  // Far transfers: EA, FF /5, 9A, FF /3, CB CA, CF, C8.
  JMP_FAR_POINTER: jumpFarPointer,
  JMP_FAR_MEMORY: jumpFarMemory,
  CALL_FAR_POINTER: callFarPointer,
  CALL_FAR_MEMORY: callFarMemory,
  RETF: returnFar,
  IRET: returnFromInterrupt,
  ENTER: enterFrame,
  // Interrupts by instruction: CD, CC, CE, F1, 62.
  INT: softwareInterrupt,
  INT3: breakpoint,
  INTO: interruptOnOverflow,
  INT1: debugTrap,
  BOUND: checkBounds,
  // Fast calls: 0F 05, 0F 07, 0F 34, 0F 35, 0F 01 F8.
  SYSCALL: systemCall,
  SYSRET: systemReturn,
  SYSENTER: systemEnter,
  SYSEXIT: systemExit,
  SWAPGS: swapGsBase,
  // Flags: 9C, 9D, FA, FB, F4, F3 90, 0F 01 CA, 0F 01 CB.
  PUSHF: pushFlags,
  POPF: popFlags,
  CLI: clearInterruptFlag,
  STI: setInterruptFlag,
  HLT: halt,
  PAUSE: pause,
  CLAC: clearAlignmentCheck,
  STAC: setAlignmentCheckFlag,
  // Ports: E4 E5 EC ED, E6 E7 EE EF, 6C 6D, 6E 6F.
  IN: portIn,
  OUT: portOut,
  INS: stringIn,
  OUTS: stringOut,
  // MSRs, time, identification: 0F 32, 0F 30, 0F 31, 0F 01 F9, 0F 33, 0F A2.
  RDMSR: readModelSpecificRegister,
  WRMSR: writeModelSpecificRegister,
  RDTSC: readTimeStamp,
  RDTSCP: readTimeStampAndAux,
  RDPMC: readPerformanceCounter,
  CPUID: identify,
  // 0F C7 /6 /7; F3 0F C7 /7; F3 0F AE /0–3.
  RDRAND: readRandom,
  RDSEED: readRandom,
  RDPID: readProcessorId,
  RDFSBASE: readFsBase,
  RDGSBASE: readGsBase,
  WRFSBASE: writeFsBase,
  WRGSBASE: writeGsBase,
  // 0F 01 EE, EF.
  RDPKRU: readProtectionKeys,
  WRPKRU: setProtectionKeys,
  // 0F 01 D0, D1; 0F AE /4 /5 /6; 0F C7 /3 /4 /5.
  XGETBV: getExtendedControl,
  XSETBV: setExtendedControl,
  XSAVE: saveExtendedState,
  XSAVEOPT: saveExtendedState,
  XRSTOR: restoreExtendedState,
  XSAVEC: saveCompactedState,
  XSAVES: saveSupervisorState,
  XRSTORS: restoreSupervisorState,
  // 0F C7 /1, with REX.W the 16-byte form.
  CMPXCHG8B: compareExchange8,
  CMPXCHG16B: compareExchange16,
  // Not announced, or undefined on purpose: 0F 01 C8, C9, 0F AA, 0F FF, 0F B9, 0F 0B.
  MONITOR: undefinedInstruction,
  MWAIT: undefinedInstruction,
  RSM: undefinedInstruction,
  UD0: undefinedInstruction,
  UD1: undefinedInstruction,
  UD2: undefinedInstruction,
} as const satisfies Readonly<Record<string, SystemHandler>>;

/** Name of an instruction that runs in TypeScript. */
export type SystemInstruction = keyof typeof SYSTEM_HANDLERS;
