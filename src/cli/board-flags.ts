import { Args, Flags } from '@oclif/core';

const HELP_GROUP = 'BOARD';
const list = (description: string) =>
  Flags.string({ description, helpGroup: HELP_GROUP, multiple: true, multipleNonGreedy: true });

/** The argument with which a command takes a board file. */
export const boardArgs = {
  board: Args.string({ description: 'board file (YAML); without one and without --device: the default board' }),
};

/** Flags that state a board in QEMU's syntax; they come on top of a board file. */
export const boardFlags = {
  m: Flags.string({ char: 'm', description: 'memory: MiB, or with K, M, G', helpGroup: HELP_GROUP }),
  smp: Flags.string({ description: 'processors: N[,sockets=N][,cores=N][,threads=N]', helpGroup: HELP_GROUP }),
  pm: Flags.string({ description: 'SLP_TYP values of S3 and S5: qemu or ich9', helpGroup: HELP_GROUP }),
  numa: list('node[,nodeid=N][,mem=SIZE][,cpus=A-B] or dist,src=A,dst=B,val=N'),
  device: list('MODEL[,id=ID][,bus=BUS][,addr=SLOT[.FUNCTION]][,option=value…]'),
  drive: list('id=ID,file=PATH,if=none,format=raw[,readonly=on]'),
  netdev: list('user,id=ID'),
};
