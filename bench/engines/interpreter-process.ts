import { interpretersToBuild } from '../../src/cli/interpreter-files.ts';
import type { GuestRequest } from './node-engine.ts';
import { guestMachine } from './q35-machine.ts';

// Generates the interpreter of the bench's processor beside the compiled code, where `q35-process.ts` finds it, as the build does for the default one.

guestMachine(JSON.parse(process.argv[2]) as GuestRequest, { write() {} }, interpretersToBuild);
