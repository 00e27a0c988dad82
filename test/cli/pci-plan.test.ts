import { describe, expect, it } from 'vitest';
import PciPlanCommand from '../../src/commands/pci/plan.ts';
import { runCommand } from '../support/run-command.ts';

describe('q35 pci plan', () => {
  it('prints the tree of the default board', async () => {
    const { stdout, exitCode } = await runCommand(PciPlanCommand, []);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/├─ 00:02\.0 pcie-root-port rp0 {2}buses 01–01 {2}INTA → PIRQG → GSI 22 \(IRQ 11\)/);
    expect(stdout).toMatch(/pxb1: buses 80–ff/);
    expect(stdout).not.toMatch(/closed: nothing/);
  });

  it('adds the reasons with --explain', async () => {
    const { stdout } = await runCommand(PciPlanCommand, ['--explain']);
    expect(stdout).toMatch(/8 GiB of 64-bit prefetchable memory at 0x2_0000_0000 from the window of rp1/);
  });

  it('prints the plan as JSON, and only that, with --json', async () => {
    const { stdout } = await runCommand(PciPlanCommand, ['--json', '--device', 'edu,id=a', '--device', 'edu,id=b']);
    const plan = JSON.parse(stdout);
    expect(plan.hostBridges[0].functions.map((fn: { id: string; bdf: string }) => [fn.id, fn.bdf])).toEqual([
      ['a', '00:01.0'],
      ['b', '00:02.0'],
    ]);
    expect(plan.writes.length).toBeGreaterThan(0);
  });

  it('puts flags on top of the default board', async () => {
    const { stdout } = await runCommand(PciPlanCommand, ['--m', '2G', '--json']);
    const large = JSON.parse(stdout).hostBridges[0];
    expect(large.functions).toHaveLength(4);
    expect(large.windows['mem64-prefetchable'][0].base).toBe(0x1_4000_0000);
  });

  it.each([
    [
      'unknown device',
      ['--device', 'eddu'],
      /error DEVICE_UNKNOWN: .*\n {2}at --device eddu\n {2}mend: did you mean edu\?/,
    ],
    ['missing file', ['no-such.yaml'], /error FILE_READ: no-such\.yaml does not exist/],
    ['a directory', ['src'], /error FILE_READ: src is a directory/],
    ['RAM too small', ['--m', '16'], /error RAM_TOO_SMALL/],
    ['RAM over the limit', ['--m', '4G'], /error RAM_TOO_LARGE/],
    ['a window that cannot fit', ['--device', 'q35-testdev,bar0=mem32:1G'], /error PCI_MEM32_SHORTAGE/],
  ])('%s: one error, exit code 2, no stack', async (_, argv, message) => {
    const { stdout, stderr, exitCode } = await runCommand(PciPlanCommand, argv);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('prints an error as JSON with --json', async () => {
    const { stdout, exitCode } = await runCommand(PciPlanCommand, ['--json', '--m', '16']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'RAM_TOO_SMALL', place: { file: '--m 16' } });
  });
});
