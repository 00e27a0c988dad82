import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { AmlInterpreter, type InterpreterOptions } from '../../src/aml/interpreter/interpreter.ts';
import { objectText } from '../../src/aml/interpreter/object-text.ts';
import type { BufferTransfer, RegionAccess } from '../../src/aml/interpreter/regions.ts';
import { REGION_SPACES } from '../../src/aml/opcodes.ts';

const table = (signature: string, id: string, body: string): Uint8Array =>
  compile('test.asl', `DefinitionBlock ("", "${signature}", 2, "Q35", "${id}", 1) { ${body} }`).tables[0].bytes;

function machine(body: string, options: InterpreterOptions = {}): AmlInterpreter {
  return new AmlInterpreter([{ bytes: table('DSDT', 'TEST', body) }], options);
}

const loaded = table('SSDT', 'MORE', 'Scope (\\_SB) { Name (MORE, 0x42) }');
const asBuffer = `Buffer () { ${[...loaded].join(', ')} }`;

describe('tables that AML loads', () => {
  test('Load takes a buffer, Unload takes it away', () => {
    const interpreter = machine(
      `Name (TBL, ${asBuffer}) Name (HNDL, 0) External (\\_SB.MORE)
       Method (LOAD) { Load (TBL, HNDL) Return (\\_SB.MORE) } Method (DROP) { Unload (HNDL) Return (CondRefOf (\\_SB.MORE)) }`,
    );
    expect(objectText(interpreter.evaluate('\\LOAD'))).toBe('0x42');
    expect(objectText(interpreter.evaluate('\\DROP'))).toBe('0x0');
  });

  test('Load takes a region', () => {
    const memory = { read: ({ address }: RegionAccess) => BigInt(loaded[Number(address) - 0x1000]), write() {} };
    const interpreter = machine(
      'OperationRegion (MEM, SystemMemory, 0x1000, 0x100) Method (LOAD) { Load (MEM, Local0) Return (1) }',
      {
        regions: { [REGION_SPACES.SystemMemory]: memory },
      },
    );
    interpreter.evaluate('\\LOAD');
    expect(objectText(interpreter.evaluate('\\_SB.MORE'))).toBe('0x42');
  });

  test('LoadTable finds a table of the firmware, and sets its parameter', () => {
    const interpreter = machine(
      'Name (PARM, 0) Method (LOAD) { If (LoadTable ("OEM1", "Q35", "GIVEN", "\\\\_SB", "\\\\PARM", 7)) { Return (PARM) } Return (0) } Method (NONE) { Return (LoadTable ("OEM2", "", "")) }',
      { installed: [{ bytes: table('OEM1', 'GIVEN', 'Name (THIS, 0x99)') }] },
    );
    expect(objectText(interpreter.evaluate('\\LOAD'))).toBe('0x7');
    expect(objectText(interpreter.evaluate('\\_SB.THIS'))).toBe('0x99');
    expect(objectText(interpreter.evaluate('\\NONE'))).toBe('0x0');
  });

  test('what is no table is an error', () => {
    const interpreter = machine('Name (TBL, Buffer (40) {}) Method (LOAD) { Load (TBL, Local0) Return (1) }');
    expect(() => interpreter.evaluate('\\LOAD')).toThrow(/AE_BAD_HEADER/);
  });

  test('DataTableRegion reads the table', () => {
    const interpreter = machine(
      'DataTableRegion (REG, "OEM1", "", "") Field (REG, ByteAcc, NoLock, Preserve) { SIGN, 32 }',
      { installed: [{ bytes: table('OEM1', 'GIVEN', '') }] },
    );
    expect(objectText(interpreter.evaluate('\\SIGN'))).toBe('0x314D454F');
  });
});

describe('buses that exchange buffers', () => {
  const SOURCE = `Device (\\_SB.I2C) { Name (_HID, "I2C00001") }
    OperationRegion (BUS, GenericSerialBus, 0x10, 0x100)
    Field (BUS, BufferAcc, NoLock, Preserve)
    {
      Connection (I2cSerialBusV2 (0x5A, ControllerInitiated, 100000, AddressingMode7Bit, "\\\\_SB.I2C", 0)),
      AccessAs (BufferAcc, AttribWord), , 16, WORD, 8
    }
    Method (GETW) { Return (WORD) } Method (SETW) { Return (WORD = Buffer () { 0, 2, 0x34, 0x12 }) }
    OperationRegion (PINS, GeneralPurposeIo, 0, 4)
    Field (PINS, ByteAcc, NoLock, Preserve)
    {
      Connection (GpioIo (Exclusive, PullDefault, 0, 0, IoRestrictionNone, "\\\\_SB.I2C") { 3, 4, 5 }), , 1, PIN1, 1
    }
    Method (SETP) { PIN1 = 3 Return (PIN1) }`;

  test('the handler gets connection, attribute and buffer, and its answer is the value', () => {
    const seen: BufferTransfer[] = [];
    const bus = {
      read: () => 0n,
      write() {},
      transfer: (access: BufferTransfer) => {
        seen.push(access);
        return Uint8Array.of(0, 2, 0xcd, 0xab);
      },
    };
    const interpreter = machine(SOURCE, { regions: { [REGION_SPACES.GenericSerialBus]: bus } });
    expect(objectText(interpreter.evaluate('\\GETW'))).toBe('Buffer {\n    00 02 CD AB\n}');
    expect(objectText(interpreter.evaluate('\\SETW'))).toBe('Buffer {\n    00 02 CD AB\n}');
    expect(seen.map(({ direction, attribute, address }) => [direction, attribute, address])).toEqual([
      ['read', 8, 0x12n],
      ['write', 8, 0x12n],
    ]);
    expect([...seen[1].buffer]).toEqual([0, 2, 0x34, 0x12]);
    expect(seen[0].connection?.[0]).toBe(0x8e);
  });

  test('a pin is addressed behind its connection', () => {
    const seen: RegionAccess[] = [];
    let pin = 0n;
    const pins = {
      read: (access: RegionAccess) => {
        seen.push(access);
        return pin;
      },
      write: (access: RegionAccess, value: bigint) => {
        seen.push(access);
        pin = value;
      },
    };
    const interpreter = machine(SOURCE, { regions: { [REGION_SPACES.GeneralPurposeIO]: pins } });
    expect(objectText(interpreter.evaluate('\\SETP'))).toBe('0x1');
    expect(seen.map(({ address, byteLength, connection }) => [address, byteLength, connection?.[0]])).toEqual([
      [1n, 1, 0x8c],
      [1n, 1, 0x8c],
    ]);
  });

  test('without a handler they are absent, and said to be', () => {
    const interpreter = machine(SOURCE, { fill: 0xee });
    expect(objectText(interpreter.evaluate('\\GETW'))).toBe('Buffer {\n    EE EE EE EE\n}');
    expect([...interpreter.absentRegions]).toEqual([
      ['\\BUS_', { space: REGION_SPACES.GenericSerialBus, accesses: 1 }],
    ]);
  });
});
