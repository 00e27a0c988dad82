import { debugCasesImage } from './debug-cases.ts';
import { fiveLevelCasesImage } from './five-level-cases.ts';
import { keysCasesImage } from './keys-cases.ts';
import type { OracleImage } from './layout.ts';
import { longCasesImage } from './long-cases.ts';
import { pagingCasesImage } from './paging-cases.ts';
import { protectedCasesImage } from './protected-cases.ts';
import { realCasesImage } from './real-cases.ts';
import { taskCasesImage } from './task-cases.ts';
import { virtual8086CasesImage } from './virtual-8086-cases.ts';

/** Every image, by the name of its fixture. */
export const ORACLE_IMAGES: Readonly<Record<string, () => OracleImage>> = {
  protected: protectedCasesImage,
  long: longCasesImage,
  'five-level': fiveLevelCasesImage,
  debug: debugCasesImage,
  keys: keysCasesImage,
  paging: pagingCasesImage,
  real: realCasesImage,
  task: taskCasesImage,
  'virtual-8086': virtual8086CasesImage,
};

/** Fixture text: a line a case, the name, a tab, and what QEMU 7.2 printed. */
export function fixtureText(image: OracleImage, output: string): string {
  const lines = outputLines(output);
  return image.names.map((name, index) => `${name}\t${lines[index] ?? 'nothing'}\n`).join('');
}

/** One line an event, without the blanks at the end. */
export function outputLines(output: string): string[] {
  return output
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
}
