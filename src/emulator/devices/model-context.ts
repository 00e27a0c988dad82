/** What a model must know of the place where it stands, beyond its own declaration. */
export interface ModelContext {
  /** The bus is Express: 4 KiB of config space. False behind a conventional bridge. */
  readonly expressBus: boolean;
  /** The bus is the link below a root or downstream port: Express devices show a PCI Express capability there only, as QEMU's. */
  readonly behindExpressPort: boolean;
  /** The device has functions beside this one. */
  readonly multifunction: boolean;
}
