import { describe, expect, test } from 'vitest';
import {
  acquire,
  add,
  alias,
  and,
  arg,
  BREAK,
  buffer,
  call,
  concatenate,
  condRefOf,
  copyObject,
  DEBUG,
  derefOf,
  device,
  divide,
  eisaId,
  elseThen,
  event,
  ifThen,
  increment,
  index,
  lEqual,
  lLess,
  local,
  method,
  mid,
  mutex,
  name,
  notify,
  objectType,
  packageOf,
  refOf,
  release,
  ret,
  scope,
  shiftLeft,
  sizeOf,
  sleep,
  store,
  str,
  subtract,
  type TermLike,
  toBuffer,
  toHexString,
  toInteger,
  wait,
  whileDo,
} from '../../src/aml/build.ts';
import {
  createDWordField,
  field,
  fieldUnit,
  indexField,
  operationRegion,
  reservedBits,
} from '../../src/aml/build-fields.ts';
import { compatibleIdsOf, idOf, resourcesOf, routesOf, statusOf } from '../../src/aml/interpreter/devices.ts';
import { AmlInterpreter, type InterpreterOptions } from '../../src/aml/interpreter/interpreter.ts';
import type { AmlObject } from '../../src/aml/interpreter/objects.ts';
import { interrupt, io } from '../../src/aml/resources/build-resources.ts';
import { resourceTemplate } from '../../src/aml/resources/resource-template.ts';
import { encodeDefinitionBlock } from '../../src/aml/table-header.ts';
import type { AmlTerm } from '../../src/aml/tree.ts';

function machine(terms: AmlTerm[], options: InterpreterOptions & { revision?: number } = {}): AmlInterpreter {
  const { revision = 2 } = options;
  return new AmlInterpreter(
    [{ bytes: encodeDefinitionBlock({ signature: 'DSDT', revision, oemId: 'Q35', oemTableId: 'TEST' }, terms) }],
    options,
  );
}

const plain = (object: AmlObject): unknown => {
  switch (object.type) {
    case 'Integer':
    case 'String':
      return object.value;
    case 'Buffer':
      return [...object.bytes];
    case 'Package':
      return object.elements.map(plain);
    default:
      return object.type;
  }
};

/** The value of a method of no arguments that holds `body`. */
const run = (
  body: AmlTerm[],
  around: AmlTerm[] = [],
  options: InterpreterOptions & { revision?: number } = {},
): unknown => plain(machine([...around, method('TEST', 0, body)], options).evaluate('\\TEST'));
const value = (term: TermLike, around: AmlTerm[] = []): unknown => run([ret(term)], around);

describe('operators', () => {
  test.each<[string, TermLike, unknown]>([
    ['wraps at 64 bits', add(0xffff_ffff_ffff_ffffn, 2), 1n],
    ['subtracts below zero', subtract(0, 1), 0xffff_ffff_ffff_ffffn],
    ['shifts everything out', shiftLeft(1, 64), 0n],
    ['true is all ones', lEqual(3, 3), 0xffff_ffff_ffff_ffffn],
    ['compares strings', lLess(str('ABC'), str('ABD')), 0xffff_ffff_ffff_ffffn],
    ['converts the right side to the type of the left', lEqual(str('0000000000000010'), 16), 0xffff_ffff_ffff_ffffn],
    ['reads a string as hexadecimal', add(str('1F'), 1), 0x20n],
    ['reads a buffer as little-endian', add(buffer([1, 2]), 0), 0x201n],
    ['ToInteger reads decimal', toInteger(str('31')), 31n],
    ['ToInteger reads 0x', toInteger(str('0x31')), 0x31n],
    ['concatenates integers into a buffer', concatenate(1, 2), [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]],
    ['concatenates strings', concatenate(str('A'), str('B')), 'AB'],
    ['ToBuffer of a string keeps its null', toBuffer(str('AB')), [0x41, 0x42, 0]],
    ['ToHexString of a buffer', toHexString(buffer([1, 0xab])), '0x01,0xAB'],
    ['Mid cuts what lies outside', mid(str('Hello'), 3, 10), 'lo'],
    ['SizeOf of a package counts elements', sizeOf(packageOf([1, 2], 5)), 5n],
    ['ObjectType of a buffer', objectType(buffer([])), 3n],
  ])('%s', (_, term, expected) => {
    expect(value(term)).toEqual(expected);
  });

  test('a DSDT of revision 1 has 32-bit integers', () => {
    expect(run([ret(add(0xffff_ffff, 2))], [], { revision: 1 })).toBe(1n);
  });

  test('Divide gives remainder and quotient', () => {
    const body = [divide(17, 5, local(0), local(1)), ret(packageValue(local(0), local(1)))];
    expect(run(body, [packageValueMethod])).toEqual(0x203n);
  });
});

/** Two small numbers in one: first × 256 + second. */
const packageValueMethod = method('PACK', 2, [ret(add(shiftLeft(arg(0), 8), arg(1)))]);
const packageValue = (first: TermLike, second: TermLike) => call('PACK', first, second);

describe('statements', () => {
  test('While, If, Else and Break', () => {
    const body = [
      store(0, local(0)),
      store(0, local(1)),
      whileDo(1, [
        increment(local(0)),
        ifThen(lEqual(and(local(0), 1), 0), [store(add(local(1), local(0)), local(1))]),
        elseThen([ifThen(lEqual(local(0), 7), [BREAK])]),
      ]),
      ret(local(1)),
    ];
    expect(run(body)).toBe(12n);
  });

  test('an endless loop ends with an error, not with the process', () => {
    expect(() => run([whileDo(1, [])], [], { limits: { steps: 1000 } })).toThrow(/AE_AML_LOOP_TIMEOUT/);
  });

  test('index registers in a circle do so too', () => {
    const around = [
      operationRegion('REGS', 'SystemIO', 0x70, 2),
      field('REGS', {}, [fieldUnit('DATA', 8)]),
      indexField('LOOP', 'DATA', {}, [fieldUnit('LOOP', 8)]),
    ];
    expect(() => value('LOOP', around)).toThrow(/AE_AML_CIRCULAR_REFERENCE/);
  });

  test('objects without end do so too', () => {
    const body = [
      store(str('AAAAAAAAAAAAAAAA'), local(0)),
      whileDo(1, [store(concatenate(local(0), local(0)), local(0))]),
    ];
    expect(() => run(body)).toThrow(/AE_AML_BUFFER_LIMIT/);
    const small = [whileDo(1, [store(buffer(new Array(1024).fill(1)), local(0))])];
    expect(() => run(small)).toThrow(/AE_NO_MEMORY/);
  });

  test('a loop that sleeps ends after 30 seconds of virtual time', () => {
    expect(() => run([whileDo(1, [sleep(1000)])])).toThrow(/a While takes more than 30 s/);
  });

  test('Wait without end for an event that nobody signals is an error', () => {
    expect(() => run([wait('EVNT', 0xffff)], [event('EVNT')])).toThrow(/AE_TIME/);
  });

  test('recursion without end does so too', () => {
    expect(() => value(call('SELF'), [method('SELF', 0, [ret(call('SELF'))])])).toThrow(/AE_AML_METHOD_LIMIT/);
  });

  test('names that a method declares go with it', () => {
    const terms = [method('MAKE', 0, [name('TEMP', 5), ret('TEMP')])];
    const interpreter = machine(terms);
    expect(plain(interpreter.evaluate('\\MAKE'))).toBe(5n);
    expect(plain(interpreter.evaluate('\\MAKE'))).toBe(5n);
    expect(interpreter.has('\\MAKE.TEMP')).toBe(false);
  });

  test('Notify, Debug and mutexes', () => {
    const interpreter = machine([
      mutex('MTX'),
      device('\\_SB.DEV', []),
      method('TEST', 0, [acquire('MTX'), notify('\\_SB.DEV', 0x80), store(str('said'), DEBUG), release('MTX')]),
    ]);
    interpreter.evaluate('\\TEST');
    expect(interpreter.notifications).toEqual([{ path: '\\_SB.DEV', value: 0x80n }]);
    expect(interpreter.debugOutput.map(plain)).toEqual(['said']);
  });
});

describe('objects', () => {
  test('Store converts to the type of a name, CopyObject does not', () => {
    const around = [name('TEXT', str('old'))];
    expect(run([store(0xab, 'TEXT'), ret('TEXT')], around)).toBe('00000000000000AB');
    expect(run([copyObject(0xab, 'TEXT'), ret('TEXT')], around)).toBe(0xabn);
  });

  test('a local is a copy, an element reference is not', () => {
    const around = [name('BUFF', buffer([1, 2, 3]))];
    expect(run([store('BUFF', local(0)), store(9, index(local(0), 0)), ret('BUFF')], around)).toEqual([1, 2, 3]);
    expect(run([store(9, index('BUFF', 0)), ret('BUFF')], around)).toEqual([9, 2, 3]);
  });

  test('a store to an argument passed by reference reaches the name', () => {
    const around = [name('NUMB', 1), method('SETR', 1, [store(7, arg(0))])];
    expect(run([call('SETR', refOf('NUMB')), ret('NUMB')], around)).toBe(7n);
    expect(run([call('SETR', 'NUMB'), ret('NUMB')], around)).toBe(1n);
  });

  test('CondRefOf, aliases and names in packages', () => {
    const around = [name('NUMB', 4), alias('NUMB', 'OTHR'), name('LIST', packageOf(['NUMB', '\\_SB']))];
    expect(run([ret(condRefOf('NONE'))], around)).toBe(0n);
    expect(run([ret('OTHR')], around)).toBe(4n);
    expect(run([ret(derefOf(index('LIST', 0)))], around)).toBe(4n);
  });

  test('a buffer field writes into the buffer of the caller', () => {
    const around = [method('PATC', 1, [createDWordField(arg(0), 4, 'WORD'), store(0x1122_3344, 'WORD')])];
    const body = [store(buffer([], 8), local(0)), call('PATC', local(0)), ret(local(0))];
    expect(run(body, around)).toEqual([0, 0, 0, 0, 0x44, 0x33, 0x22, 0x11]);
  });

  test.each<[string, AmlTerm[], string]>([
    ['division by zero', [ret(divide(1, 0))], 'AML_DIVIDE_BY_ZERO'],
    ['an index outside', [ret(derefOf(index(packageOf([1]), 1)))], 'AML_PACKAGE_LIMIT'],
    ['an unset local', [ret(local(0))], 'AML_UNINITIALIZED_LOCAL'],
    ['an unknown name', [ret(add('NONE', 1))], 'AML_NOT_FOUND'],
  ])('%s is a typed error with its method as place', (_, body, code) => {
    expect(() => run(body)).toThrow(expect.objectContaining({ code, place: { path: '\\TEST' } }));
  });
});

describe('fields', () => {
  const accesses: string[] = [];
  const cells = new Map<bigint, bigint>();
  const handler = {
    read: ({ address, byteLength }: { address: bigint; byteLength: number }) => {
      accesses.push(`r${byteLength}@${address.toString(16)}`);
      return cells.get(address) ?? 0n;
    },
    write: ({ address, byteLength }: { address: bigint; byteLength: number }, written: bigint) => {
      accesses.push(`w${byteLength}@${address.toString(16)}=${written.toString(16)}`);
      cells.set(address, written);
    },
  };
  const terms = [
    operationRegion('REGS', 'SystemIO', 0xb0, 8),
    field('REGS', { access: 'ByteAcc', update: 'Preserve' }, [
      fieldUnit('LOWN', 4),
      fieldUnit('HIGN', 4),
      fieldUnit('WIDE', 16),
    ]),
    field('REGS', { access: 'WordAcc', update: 'WriteAsOnes' }, [reservedBits(32), fieldUnit('BITS', 3)]),
    field('REGS', { access: 'ByteAcc' }, [reservedBits(48), fieldUnit('INDX', 8), fieldUnit('DATA', 8)]),
    indexField('INDX', 'DATA', { access: 'ByteAcc' }, [reservedBits(0x20), fieldUnit('IDX4', 8)]),
  ];
  const runOnHardware = (body: AmlTerm[]): unknown => {
    accesses.length = 0;
    return run(body, terms, { regions: { 1: handler } });
  };

  test('a part of a unit is read and merged', () => {
    cells.set(0xb0n, 0x5an);
    runOnHardware([store(3, 'HIGN')]);
    expect(accesses).toEqual(['r1@b0', 'w1@b0=3a']);
  });

  test('a field over several units takes one access each', () => {
    cells.set(0xb1n, 0x34n).set(0xb2n, 0x12n);
    expect(runOnHardware([ret('WIDE')])).toBe(0x1234n);
    expect(accesses).toEqual(['r1@b1', 'r1@b2']);
  });

  test('WriteAsOnes sets the bits around', () => {
    runOnHardware([store(2, 'BITS')]);
    expect(accesses).toEqual(['w2@b4=fffa']);
  });

  test('an index field selects before it reads', () => {
    cells.set(0xb7n, 0x99n);
    expect(runOnHardware([ret('IDX4')])).toBe(0x99n);
    expect(accesses).toEqual(['w1@b6=4', 'r1@b7']);
  });
});

describe('devices', () => {
  test('ids, status, resources and routes', () => {
    const interpreter = machine([
      scope('\\_SB', [
        device('LNKA', [name('_HID', eisaId('PNP0C0F'))]),
        device('PCI0', [
          name('_HID', eisaId('PNP0A08')),
          name('_CID', packageOf([eisaId('PNP0A03'), str('ABCD0001')])),
          method('_STA', 0, [ret(0xb)]),
          method('_CRS', 0, [ret(resourceTemplate([io(0xcf8, 8), interrupt([9])]))]),
          method('_PRT', 0, [ret(packageOf([packageOf([0xffff, 0, 'LNKA', 0]), packageOf([0x1_ffff, 1, 0, 17])]))]),
        ]),
      ]),
    ]);
    expect(interpreter.problems).toEqual([]);
    expect(interpreter.paths('Device').filter((path) => path.includes('.'))).toEqual(['\\_SB.LNKA', '\\_SB.PCI0']);
    expect(idOf(interpreter, '\\_SB.PCI0')).toBe('PNP0A08');
    expect(compatibleIdsOf(interpreter, '\\_SB.PCI0')).toEqual(['PNP0A03', 'ABCD0001']);
    expect([statusOf(interpreter, '\\_SB.PCI0'), statusOf(interpreter, '\\_SB.LNKA')]).toEqual([0xb, 0xf]);
    expect(resourcesOf(interpreter, '\\_SB.PCI0._CRS')).toEqual([io(0xcf8, 8), interrupt([9])]);
    expect(routesOf(interpreter, '\\_SB.PCI0')).toEqual([
      { address: 0xffff, pin: 0, source: '\\_SB.LNKA', index: 0 },
      { address: 0x1_ffff, pin: 1, source: undefined, index: 17 },
    ]);
  });
});
