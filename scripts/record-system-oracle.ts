/** Runs the oracle images on the installed QEMU and writes fixtures/cpu/system/*.txt. `node scripts/record-system-oracle.ts` */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fixtureText, ORACLE_IMAGES } from '../test/oracle/images/all.ts';
import { runOnQemu } from '../test/oracle/images/qemu.ts';

const folder = new URL('../fixtures/cpu/system/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, build] of Object.entries(ORACLE_IMAGES)) {
  const image = build();
  writeFileSync(new URL(`${name}.txt`, folder), fixtureText(image, runOnQemu(image)));
  console.log(`${name}: ${image.names.length} cases`);
}
