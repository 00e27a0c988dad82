import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dwordMemory,
  interrupt,
  io,
  irqNoFlags,
  memory32Fixed,
  qwordMemory,
  wordBusNumber,
  wordIo,
} from '../../src/aml/resources/build-resources.ts';
import { NAME_SLOT } from '../../src/aml/resources/descriptor.ts';
import { aslOfDescriptor, decodeResources, encodeResources } from '../../src/aml/resources/resource-template.ts';
import { viewOf } from '../../src/shared/bytes.ts';
import { compileAsl, hasIasl } from './iasl.ts';

/** Every macro that a codec writes, as ACPI 6.5 §19.6 spells it. */
const MACROS = [
  'IRQ (Level, ActiveLow, SharedAndWake, ) {3,4,10}',
  'IRQNoFlags () {1}',
  'DMA (TypeB, BusMaster, Transfer8_16, ) {0,5}',
  'FixedDMA (0x0010, 0x0002, Width32bit, )',
  'IO (Decode16, 0x03F8, 0x03F8, 0x01, 0x08, )',
  'IO (Decode10, 0x0010, 0x0020, 0x08, 0x04, )',
  'FixedIO (0x0278, 0x08, )',
  'VendorShort () {0x01, 0x02, 0x03}',
  'VendorLong () {0xDE, 0xAD, 0xBE, 0xEF, 0x00, 0x11, 0x22, 0x33, 0x44}',
  'Memory24 (ReadWrite, 0x0A00, 0x0B00, 0x0100, 0x0020, )',
  'Memory32 (ReadOnly, 0x000A0000, 0x000B0000, 0x00001000, 0x00002000, )',
  'Memory32Fixed (ReadWrite, 0xFED00000, 0x00000400, )',
  'WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0x0000, 0x0000, 0x00FF, 0x0000, 0x0100, , , )',
  'WordIO (ResourceProducer, MinNotFixed, MaxNotFixed, SubDecode, NonISAOnlyRanges, 0, 0x0D00, 0xFFFF, 0, 0xF300, , , , TypeTranslation, SparseTranslation)',
  'DWordIO (ResourceConsumer, MinNotFixed, MaxNotFixed, PosDecode, ISAOnlyRanges, 0, 0x0D00, 0xFFFF, 0, 0xF300, 0x01, "\\\\_SB.PCI0", , TypeStatic, DenseTranslation)',
  'QWordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0D00, 0xFFFF, 0, 0xF300, , , , TypeStatic, DenseTranslation)',
  'DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, WriteCombining, ReadOnly, 0, 0xC0000000, 0xFEBFFFFF, 0, 0x3EC00000, , , , AddressRangeReserved, TypeTranslation)',
  'WordSpace (0xC0, ResourceProducer, PosDecode, MinFixed, MaxFixed, 0x55, 0, 0x10, 0x1F, 0, 0x10, , , )',
  'QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Prefetchable, ReadWrite, 0, 0x800000000, 0xFFFFFFFFF, 0, 0x800000000, , , , AddressRangeNVS, TypeStatic)',
  'ExtendedMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite, 0, 0x1000, 0x1FFF, 0, 0x1000, 0x8, , AddressRangeACPI, TypeStatic)',
  'ExtendedIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x1000, 0x1FFF, 0, 0x1000, 0x8, , TypeStatic, DenseTranslation)',
  'ExtendedSpace (0xC1, ResourceProducer, PosDecode, MinFixed, MaxFixed, 0x03, 0, 0x1000, 0x1FFF, 0, 0x1000, 0x8, )',
  'Interrupt (ResourceConsumer, Edge, ActiveLow, ExclusiveAndWake, 0x02, "\\\\_SB.LNKA", ) {0x10, 0x11}',
  'Interrupt (ResourceProducer, Level, ActiveHigh, Shared, , , ) {0x00000014}',
  'Register (PCC, 0x20, 0x04, 0x0000000000000608, 0x03, )',
  'Register (FFixedHW, 0x01, 0x02, 0x0000000000000000, 0x00, )',
  'GpioInt (Edge, ActiveBoth, SharedAndWake, PullUp, 0x0BB8, "\\\\_SB.GPO0", 0x00, ResourceConsumer, , ) {0x0008}',
  'GpioIo (Exclusive, PullNone, 0x0001, 0x0320, IoRestrictionOutputOnly, "\\\\_SB.GPO0", 0x01, ResourceConsumer, , RawDataBuffer (0x02) {0xAB, 0xCD}) {0x0012}',
  'I2cSerialBusV2 (0x0015, ControllerInitiated, 0x00061A80, AddressingMode10Bit, "\\\\_SB.I2C1", 0x00, ResourceConsumer, , Shared, )',
  'I2cSerialBus (0x0015, ControllerInitiated, 0x00061A80, AddressingMode7Bit, "\\\\_SB.I2C1", 0x00, ResourceConsumer, , )',
  'SpiSerialBusV2 (0x0001, PolarityHigh, ThreeWireMode, 0x08, DeviceInitiated, 0x007A1200, ClockPolarityHigh, ClockPhaseSecond, "\\\\_SB.SPI1", 0x00, ResourceConsumer, , Exclusive, RawDataBuffer (0x01) {0x7F})',
  'UartSerialBusV2 (0x0001C200, DataBitsEight, StopBitsTwo, 0xC0, BigEndian, ParityTypeOdd, FlowControlHardware, 0x0020, 0x0010, "\\\\_SB.UAR1", 0x00, ResourceConsumer, , Exclusive, )',
];

const definitionBlock = (templates: readonly string[]): string =>
  `DefinitionBlock ("", "SSDT", 2, "Q35", "RESOURCE", 1) {\n${templates
    .map(
      (template, index) =>
        `Name (R${index.toString(36).toUpperCase().padStart(3, '0')}, ResourceTemplate () { ${template} })`,
    )
    .join('\n')}\n}`;

/** Bytes of each named template of a table made by `definitionBlock`: NameOp, name, Buffer with a size in one prefix byte. */
function templatesOf(table: Uint8Array): Uint8Array[] {
  const templates: Uint8Array[] = [];
  let offset = 36;
  while (offset < table.length) {
    const package_ = offset + 6;
    const lead = table[package_];
    const following = lead >> 6;
    const length = following === 0 ? lead & 0x3f : (lead & 0xf) | (table[package_ + 1] << 4);
    const size = package_ + 1 + following;
    const sizeBytes = { 10: 2, 11: 3 }[table[size]] ?? 1;
    templates.push(table.subarray(size + sizeBytes, package_ + length));
    offset = package_ + length;
  }
  return templates;
}

const asText = ({ name, args, list }: NonNullable<ReturnType<typeof aslOfDescriptor>>): string =>
  `${name} (${args.join(', ').replace(NAME_SLOT, '')})${list ? ` {${list.join(', ')}}` : ''}`;

describe('resource descriptors', () => {
  test.skipIf(!hasIasl)('every macro: decoded from iasl, encoded and printed to the same bytes (needs iasl)', () => {
    const compiled = compileAsl(definitionBlock(MACROS), ['-oa']);
    expect(compiled.table, compiled.output).toBeDefined();
    const templates = templatesOf(compiled.table!);
    expect(templates.length).toBe(MACROS.length);
    const printed = templates.map((bytes, index) => {
      const { descriptors, checksum, end } = decodeResources(bytes);
      expect([end, checksum]).toEqual([bytes.length, 0]);
      expect(descriptors.length, MACROS[index]).toBe(1);
      expect(descriptors[0].kind, MACROS[index]).not.toBe('Raw');
      expect(encodeResources(descriptors)).toEqual(Uint8Array.from(bytes));
      return asText(aslOfDescriptor(descriptors[0])!);
    });
    const again = compileAsl(definitionBlock(printed), ['-oa']);
    expect(again.table, again.output).toEqual(compiled.table);
  });

  test.skipIf(!hasIasl)('dependent functions nest in ASL and are flat in bytes (needs iasl)', () => {
    const text =
      'StartDependentFn (1, 2) { IRQNoFlags () {3} } StartDependentFnNoPri () { IRQNoFlags () {4} } EndDependentFn ()';
    const compiled = compileAsl(definitionBlock([text]), ['-oa']);
    const { descriptors } = decodeResources(templatesOf(compiled.table!)[0]);
    expect(descriptors).toEqual([
      { kind: 'StartDependentFn', priority: { compatibility: 1, performance: 2 } },
      { kind: 'IRQ', irqs: [3] },
      { kind: 'StartDependentFn' },
      { kind: 'IRQ', irqs: [4] },
      { kind: 'EndDependentFn' },
    ]);
  });

  test.skipIf(!hasIasl)('the builders write what ASL with the usual keywords gives (needs iasl)', () => {
    const built = encodeResources([
      wordBusNumber({ minimum: 0, maximum: 0xff }),
      io(0xcf8, 8),
      wordIo({ minimum: 0, maximum: 0xcf7 }),
      dwordMemory({ minimum: 0xa0000, maximum: 0xbffff, cache: 'Cacheable' }),
      qwordMemory({ minimum: 0x8_0000_0000n, maximum: 0xf_ffff_ffffn, cache: 'Cacheable' }),
      memory32Fixed(0xfed0_0000, 0x400, 'ReadOnly'),
      irqNoFlags(4),
      interrupt([20]),
    ]);
    const asl = `
      WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0xFF, 0, 0x100)
      IO (Decode16, 0xCF8, 0xCF8, 1, 8)
      WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0, 0xCF7, 0, 0xCF8)
      DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite, 0, 0xA0000, 0xBFFFF, 0, 0x20000)
      QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite, 0, 0x800000000, 0xFFFFFFFFF, 0, 0x800000000)
      Memory32Fixed (ReadOnly, 0xFED00000, 0x400)
      IRQNoFlags () {4}
      Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {20}`;
    const compiled = compileAsl(definitionBlock([asl]), ['-oa']);
    expect(built).toEqual(Uint8Array.from(templatesOf(compiled.table!)[0]));
  });

  test('any bytes either throw a typed error or survive decoding and encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const whole = Uint8Array.from([...bytes, 0x79, 0]);
        try {
          const { descriptors, end, checksum } = decodeResources(whole);
          const again = encodeResources(descriptors);
          again[again.length - 1] = checksum;
          expect(again.subarray(0, end - 2)).toEqual(whole.subarray(0, end - 2));
        } catch (error) {
          expect(error).toMatchObject({ code: 'AML_RESOURCES' });
        }
      }),
      { seed: 35 },
    );
  });

  test('a range above 4 GiB keeps all 64 bits', () => {
    const bytes = encodeResources([qwordMemory({ minimum: 0x38_0000_0000n, maximum: 0x39_ffff_ffffn })]);
    const view = viewOf(bytes);
    expect([view.getBigUint64(14, true), view.getBigUint64(22, true), view.getBigUint64(38, true)]).toEqual([
      0x38_0000_0000n,
      0x39_ffff_ffffn,
      0x2_0000_0000n,
    ]);
  });
});
