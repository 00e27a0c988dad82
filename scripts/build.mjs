import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './npm-packages.mjs';

build(dirname(dirname(fileURLToPath(import.meta.url))));
