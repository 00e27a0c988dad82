import {
  and,
  arg,
  call,
  device,
  eisaId,
  ifThen,
  lLess,
  local,
  method,
  name,
  or,
  ret,
  store,
} from '../../../aml/build.ts';
import { createDWordField, field, fieldUnit, operationRegion, reservedBits } from '../../../aml/build-fields.ts';
import { interrupt } from '../../../aml/resources/build-resources.ts';
import { resourceTemplate } from '../../../aml/resources/resource-template.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import { gsiOfPirq } from '../../../emulator/machine/interrupt-routing.ts';
import { PIRQ_IRQS } from '../../../emulator/machine/memory-map.ts';

/** PIRQA–H as letters of the link devices' names. */
export const PIRQ_LETTERS = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'] as const;

/** The register's routing-disabled bit (ICH9 §13.1.16). */
const IRQEN = 0x80;
/** Present, shown and working, with and without "enabled". */
const STA_ENABLED = 0x0b;
const STA_DISABLED = 0x09;
/** Offset of the interrupt number in an extended interrupt descriptor. */
const INTERRUPT_OFFSET = 5;

/** PIRQ routing registers of the LPC bridge: stands inside its Device. */
export function pirqRegisters(): AmlTerm[] {
  const units = (letters: readonly string[]) => letters.map((letter) => fieldUnit(`PRQ${letter}`, 8));
  return [
    operationRegion('PIRQ', 'PCI_Config', 0x60, 0x0c),
    field('PIRQ', { access: 'ByteAcc' }, [
      ...units(PIRQ_LETTERS.slice(0, 4)),
      reservedBits(4 * 8),
      ...units(PIRQ_LETTERS.slice(4)),
    ]),
  ];
}

/**
 * LNKA–H route a PIRQ to an 8259 line through the LPC bridge's register; GSIA–H are the fixed I/O APIC pins. `lpcPath` is where
 * `pirqRegisters` stands. Goes into \_SB.
 */
export function interruptLinks(lpcPath: string): AmlTerm[] {
  return [
    // Status of a link from its register.
    method('IQST', 1, [ifThen(and(arg(0), IRQEN), [ret(STA_DISABLED)]), ret(STA_ENABLED)]),
    // Current setting of a link from its register.
    method(
      'IQCR',
      1,
      [
        store(resourceTemplate([interrupt([0])]), local(0)),
        createDWordField(local(0), INTERRUPT_OFFSET, 'PRRI'),
        ifThen(lLess(arg(0), IRQEN), [store(arg(0), 'PRRI')]),
        ret(local(0)),
      ],
      { serialized: true },
    ),
    ...PIRQ_LETTERS.map((letter, pirq) => routedLink(letter, pirq, `${lpcPath}.PRQ${letter}`)),
    ...PIRQ_LETTERS.map((letter, pirq) => fixedLink(letter, gsiOfPirq(pirq))),
  ];
}

function routedLink(letter: string, uid: number, register: string): AmlTerm {
  return device(`LNK${letter}`, [
    name('_HID', eisaId('PNP0C0F')),
    name('_UID', uid),
    name('_PRS', resourceTemplate([interrupt(PIRQ_IRQS)])),
    method('_STA', 0, [ret(call('IQST', register))]),
    method('_DIS', 0, [or(register, IRQEN, register)]),
    method('_CRS', 0, [ret(call('IQCR', register))]),
    method('_SRS', 1, [createDWordField(arg(0), INTERRUPT_OFFSET, 'PRRI'), store('PRRI', register)], {
      serialized: true,
    }),
  ]);
}

function fixedLink(letter: string, gsi: number): AmlTerm {
  const setting = resourceTemplate([interrupt([gsi])]);
  return device(`GSI${letter}`, [
    name('_HID', eisaId('PNP0C0F')),
    name('_UID', gsi),
    name('_PRS', setting),
    name('_CRS', setting),
    method('_DIS', 0, []),
    method('_SRS', 1, []),
  ]);
}
