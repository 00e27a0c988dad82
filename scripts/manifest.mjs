import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateManifest } from './command-manifest.mjs';
import { build } from './npm-packages.mjs';

// npm run manifest: the command surface as a file, after a command was added or changed.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
build(root);
generateManifest(root);
