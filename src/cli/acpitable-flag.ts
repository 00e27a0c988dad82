import { Flags } from '@oclif/core';

/** `--acpitable`, as often as wanted. */
export const acpiTableFlag = Flags.string({
  description:
    "[sig=SIG,…]file=PATH|URL[:PATH…] or data=…: add a table in QEMU's syntax; with replace=SIG in place of the board's, delete=SIG takes it away",
  helpGroup: 'BOARD',
  multiple: true,
  multipleNonGreedy: true,
});
