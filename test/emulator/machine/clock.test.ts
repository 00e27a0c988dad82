import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../src/emulator/machine/clock.ts';

describe('VirtualClock', () => {
  test('time is retired instructions plus what a halt skipped', () => {
    let retired = 10;
    const clock = new VirtualClock(() => retired);
    expect(clock.now()).toBe(10);
    clock.skipTo(500);
    expect(clock.now()).toBe(500);
    clock.skipTo(100);
    retired += 7;
    expect(clock.now()).toBe(507);
  });

  test('alarms ring by deadline, ties in the order of arming; those of the future wait', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean())), fc.nat(50), (alarms, until) => {
        const clock = new VirtualClock(() => 0);
        const rung: number[] = [];
        const armed = alarms.map(([deadline], index) => clock.schedule(deadline, () => rung.push(index)));
        for (const [index, [, cancelled]] of alarms.entries()) if (cancelled) armed[index].cancel();
        clock.skipTo(until);
        clock.runDue();
        const expected = [...alarms.entries()]
          .filter(([, [deadline, cancelled]]) => !cancelled && deadline <= until)
          .sort(([a, [left]], [b, [right]]) => left - right || a - b)
          .map(([index]) => index);
        expect(rung).toEqual(expected);
      }),
    );
  });

  test('an alarm may arm the next one, and the listener hears of earlier deadlines only', () => {
    const earlier: number[] = [];
    const clock = new VirtualClock(
      () => 0,
      (deadline) => earlier.push(deadline),
    );
    const rung: number[] = [];
    clock.schedule(100, () => {
      rung.push(1);
      clock.schedule(100, () => rung.push(2));
    });
    clock.schedule(200, () => rung.push(3));
    clock.schedule(50, () => rung.push(0));
    expect(earlier).toEqual([100, 50]);
    clock.skipTo(150);
    expect(clock.runDue()).toBe(3);
    expect(rung).toEqual([0, 1, 2]);
    expect(clock.nextDeadline()).toBe(200);
  });
});
