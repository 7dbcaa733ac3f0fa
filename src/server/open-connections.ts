/**
 * The connections that the engine has open, its WebSockets among them, and whom they come from. Told by the engine's filter
 * and by `socket-lane.ts`.
 */
export class OpenConnections {
  count = 0
  /**
   * The address of all of them, while it is one: of a proxy in front, most of the time. To ask the engine for that of a request
   * costs a fifth of a small file. Empty: they come from several, or nobody has told.
   */
  sole = ''

  /** `address`: empty where it is not known. */
  opened(address: string): void {
    if (this.count === 0) this.sole = address
    else if (this.sole !== address) this.sole = ''
    this.count++
  }

  /** Those from other addresses may be gone now, but that shows only when all are. */
  closed(): void {
    this.count--
  }
}
