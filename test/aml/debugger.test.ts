import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { AmlDebugger } from '../../src/aml/debugger/debugger.ts';
import { AmlInterpreter } from '../../src/aml/interpreter/interpreter.ts';

const SOURCE = `DefinitionBlock ("", "DSDT", 2, "Q35", "DEBUG", 1)
{
    Name (CNT, 0)
    Name (LIST, Package () { 1, "two" })
    OperationRegion (PORT, SystemIO, 0x80, 4)
    Field (PORT, ByteAcc, NoLock, Preserve) { POST, 8 }
    Method (INNR, 1)
    {
        Local0 = Arg0 * 2
        POST = Local0
        Return (Local0)
    }
    Method (MAIN, 1)
    {
        Local0 = 1
        If (Arg0 > 1)
        {
            Local0 = INNR (Arg0)
        }
        CNT += Local0
        Return (Local0)
    }
    Method (FAIL) { Local0 = 5 Return (Local0 / CNT) }
}`;

/** What a session prints for `commands`. */
function session(...commands: string[]): string[] {
  const { bytes } = compile('debug.asl', SOURCE).tables[0];
  const lines: string[] = [];
  const interpreter = new AmlInterpreter([{ bytes }], { offsets: true });
  new AmlDebugger(interpreter, { print: (text) => lines.push(text), read: () => commands.shift() }).run();
  return lines;
}

describe('the AML debugger', () => {
  test('stops at a method, steps into and over calls, and runs on', () => {
    const lines = session(
      'break \\MAIN',
      'run \\MAIN (3)',
      's',
      's',
      's',
      'bt',
      'args',
      'finish',
      'locals',
      'next',
      'p CNT',
      'c',
    );
    expect(lines).toEqual([
      'breakpoint 1: \\MAIN',
      'breakpoint 1',
      '\\MAIN',
      expect.stringMatching(/^=> [0-9a-f]{5} {2}Local0 = One$/),
      '\\MAIN',
      expect.stringMatching(/If \(\(Arg0 > One\)\)$/),
      '\\MAIN',
      expect.stringMatching(/Local0 = INNR \(Arg0\)$/),
      '\\INNR',
      expect.stringMatching(/Local0 = \(Arg0 \* 0x02\)$/),
      expect.stringMatching(/^0 {2}\\INNR:[0-9a-f]+$/),
      expect.stringMatching(/^1 {2}\\MAIN:[0-9a-f]+$/),
      'Arg0 = 0x3',
      '\\MAIN',
      expect.stringMatching(/CNT \+= Local0$/),
      'Local0 = 0x6',
      '\\MAIN',
      expect.stringMatching(/Return \(Local0\)$/),
      '0x6',
      '0x6',
    ]);
  });

  test('lists ASL with offsets, and stops at one of them', () => {
    const listing = session('list \\MAIN');
    expect(listing.map((line) => line.slice(10))).toEqual([
      'Local0 = One',
      'If ((Arg0 > One))',
      '    Local0 = INNR (Arg0)',
      'CNT += Local0',
      'Return (Local0)',
    ]);
    const offset = listing[3].trim().split(' ')[0];
    const lines = session(`break \\MAIN:${offset}`, 'run \\MAIN (1)', 'list', 'c');
    expect(lines.filter((line) => line.startsWith('=>'))).toEqual([
      `=> ${offset}  CNT += Local0`,
      `=> ${offset}  CNT += Local0`,
    ]);
  });

  test('stops behind an access to a region, by path, space or address', () => {
    for (const place of ['\\PORT', 'SystemIO', 'systemio:80']) {
      const lines = session(`break region ${place}`, 'run \\INNR (4)', 'c');
      expect(lines[1]).toBe('breakpoint 1: write of \\PORT at 0x80 = 0x8');
      expect(lines.at(-1)).toBe('0x8');
    }
    expect(session('break region SystemIO:81', 'run \\INNR (4)').slice(1)).toEqual(['0x8']);
  });

  test('stops where something fails', () => {
    const lines = session('break error', 'run \\FAIL', 'locals', 'c');
    expect(lines.slice(1)).toEqual([
      'breakpoint 1: AE_AML_DIVIDE_BY_ZERO: a division by zero',
      '\\FAIL',
      expect.stringMatching(/Return \(\(Local0 \/ CNT\)\)$/),
      'Local0 = 0x5',
      expect.stringMatching(/^AE_AML_DIVIDE_BY_ZERO: /),
    ]);
  });

  test('prints expressions and sets what they name', () => {
    expect(
      session(
        'p DerefOf (LIST [1])',
        'set CNT = 7',
        'p CNT + 1',
        'p INNR (2)',
        'debug \\MAIN (1)',
        'set Arg0 = 5',
        'c',
      ),
    ).toEqual(['"two"', '0x7', '0x8', '0x4', '\\MAIN', expect.stringMatching(/Local0 = One$/), '0x5', '0xA']);
  });

  test('shows the namespace and traces', () => {
    expect(session('tree \\PORT', 'tree \\LIST')).toEqual([
      'PORT  OpRegion SystemIO 0x80, 4 bytes',
      'LIST  Package, 2 elements',
    ]);
    expect(session('trace', 'run \\INNR (1)')).toEqual([
      'call \\INNR (0x1)',
      '  name \\POST',
      '  write SystemIO 0x80 1 = 0x2 (\\PORT)',
      'return \\INNR = 0x2',
      '0x2',
    ]);
  });

  test.each([
    ['frob', '"frob" is no command: see help'],
    ['break nowhere at all', /is no place to stop\n {2}mend: write break PATH/],
    ['break \\CNT', /\\CNT is no method with statements/],
    ['run \\NONE', /\\NONE is declared nowhere/],
    ['print 1 +', /a value is due/],
    ['step', 'nothing runs: see run'],
  ])('says what is wrong with %s', (command, message) => {
    const [line] = session(command);
    if (typeof message === 'string') expect(line).toBe(message);
    else expect(line).toMatch(message);
  });
});
