import { ROM_SHADOW } from '../../emulator/machine/memory-map.ts';
import { type Code, createAssembler } from './assembler/assembler.ts';
import { rsp } from './assembler/registers.ts';
import { emitChipset } from './chipset.ts';
import { emitFwCfg } from './fw-cfg.ts';
import { emitInstallServices, emitServices } from './interrupt-services.ts';
import { emitKernel } from './kernel.ts';
import {
  CONSTANTS_SECTION,
  LOW_MEMORY,
  MAIN_SECTION,
  POST_CODES,
  RESET_VECTOR,
  RESIDENT_SECTION,
  ROM_BYTES,
  VARIABLES_SECTION,
} from './layout.ts';
import { emitLog, logLine, post } from './log.ts';
import { emitMemoryMap } from './memory-map.ts';
import { emitPciPlan } from './pci-plan.ts';
import { emitProcessorEntry, emitProcessors } from './processors.ts';
import { emitDescriptors, emitEntry, emitResetVector, loadFlatSegments } from './reset.ts';
import { emitSmbios } from './smbios.ts';
import { emitTableLoader } from './table-loader.ts';
import { emitResidentVariables, emitVariables } from './variables.ts';

export interface Rom {
  /** The image; it ends at 4 GiB. */
  readonly bytes: Uint8Array;
  /** Linked addresses (in the shadow below 1 MiB) by label. */
  readonly symbols: ReadonlyMap<string, number>;
}

/** Sections by ascending address; each ends before the next begins. */
const SECTIONS = [MAIN_SECTION, CONSTANTS_SECTION, VARIABLES_SECTION, RESIDENT_SECTION, RESET_VECTOR];

/** Assembles the ROM. The same bytes every time: nothing of the host goes into it. */
export function buildRom(): Rom {
  const code = createAssembler();
  for (const { name, base } of SECTIONS) code.section(name, base);
  emitMainSection(code);
  code.section(VARIABLES_SECTION.name);
  emitVariables(code);
  code.section(RESIDENT_SECTION.name);
  emitProcessorEntry(code);
  emitEntry(code);
  emitServices(code);
  emitDescriptors(code);
  emitResidentVariables(code);
  code.section(RESET_VECTOR.name);
  emitResetVector(code);
  const { sections, symbols } = code.assemble();
  const bytes = new Uint8Array(ROM_BYTES);
  for (const [index, { name, base }] of SECTIONS.entries()) {
    const section = sections.get(name)!;
    const end = SECTIONS[index + 1]?.base ?? ROM_SHADOW.base + ROM_BYTES;
    if (base + section.bytes.length > end) throw new Error(`ROM section ${name} is ${section.bytes.length} bytes long`);
    bytes.set(section.bytes, base - ROM_SHADOW.base);
  }
  return { bytes, symbols };
}

/** What the ROM does once it is in long mode, in order. */
function emitMainSection(code: Code): void {
  code.section(MAIN_SECTION.name);
  code.bits(64);
  code.label('main64');
  loadFlatSegments(code);
  code.mov(rsp, LOW_MEMORY.STACK_TOP);
  post(code, POST_CODES.LONG_MODE);
  code.call('serialInit');
  logLine(code, 'ROM in long mode');
  const phases: readonly (readonly [postCode: number, procedure: string])[] = [
    [POST_CODES.CHIPSET, 'chipsetInit'],
    [POST_CODES.CHIPSET, 'bootProcessorInit'],
    [POST_CODES.FW_CFG, 'fwCfgInit'],
    [POST_CODES.PROCESSORS, 'startProcessors'],
    [POST_CODES.PCI_PLAN, 'replayPciPlan'],
    [POST_CODES.MEMORY_MAP, 'memoryMapBuild'],
    [POST_CODES.TABLES, 'runTableLoader'],
    [POST_CODES.TABLES, 'findRsdp'],
    [POST_CODES.SMBIOS, 'installSmbios'],
    [POST_CODES.MEMORY_MAP, 'memoryMapFinish'],
    [POST_CODES.SERVICES, 'installServices'],
    [POST_CODES.KERNEL, 'bootKernel'],
  ];
  for (const [postCode, procedure] of phases) {
    post(code, postCode);
    code.call(procedure);
  }
  code.jump('halt');
  for (const emit of [emitLog, emitChipset, emitProcessors, emitFwCfg, emitPciPlan, emitMemoryMap]) emit(code);
  for (const emit of [emitTableLoader, emitSmbios, emitInstallServices, emitKernel]) emit(code);
}
