import { expect, test } from 'vitest';
import { type HostProfile, tiersOf } from '../../../src/emulator/debug/host-tiers.ts';

const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
});

const PROFILE: HostProfile = {
  nodes: [
    node(1, '(root)', '', [2, 8, 9]),
    node(2, 'run', 'file:///q35/dist/emulator/cpu/execution/run-loop.js', [3]),
    node(3, 'wasm-function[9]', 'wasm://wasm/interpreter-00112233', [4, 5, 6]),
    node(4, 'r0', 'wasm://wasm/region-44556677', [7]),
    node(5, 'page-walk', 'wasm://wasm/interpreter-00112233'),
    node(6, 'install', 'file:///q35/src/emulator/cpu/jit/region-tier.ts', [10]),
    node(7, 'portRead', 'file:///q35/src/emulator/devices/i8042.ts'),
    node(8, '(garbage collector)', ''),
    node(9, '(idle)', ''),
    node(10, 'Module', ''),
  ],
  samples: [2, 3, 4, 5, 6, 7, 8, 9, 10, 1],
  timeDeltas: [1e4, 9e4, 8e4, 7e4, 3e4, 5e4, 4e4, 1e6, 3e4, 2e4],
};

test('host time goes to the innermost tier, that of nameless functions to their caller’s', () => {
  const seconds = Object.fromEntries(tiersOf(PROFILE).map((tier) => [tier.name, tier.seconds]));
  expect(seconds).toEqual({
    interpreter: 0.09,
    'compiled regions': 0.08,
    'page walks and memory beyond the TLB': 0.07,
    'compiling regions': 0.06,
    'devices and buses': 0.05,
    "the host's memory: garbage collection": 0.04,
    'the rest of the program': 0.02,
    'the loops around them: slices, alarms, budgets': 0.01,
  });
});
