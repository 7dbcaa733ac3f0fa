/** The file of a listening unix socket: taken away by who has listened there, unless it is another one's by now. */
import { lstatSync, unlinkSync } from 'node:fs'

export class SocketFile {
  readonly #path: string
  readonly #inode: bigint

  /** Of the socket at `path`, if there is one. */
  static at(path: string): SocketFile[] {
    try {
      return [new SocketFile(path)]
    } catch {
      return []
    }
  }

  /** Of a socket that listens at `path`. Throws what the file system throws. */
  constructor(path: string) {
    this.#path = path
    this.#inode = lstatSync(path, { bigint: true }).ino
  }

  /** Whether it is still there: not where it is gone, or another one's. */
  get isThere(): boolean {
    try {
      return lstatSync(this.#path, { bigint: true }).ino === this.#inode
    } catch {
      return false
    }
  }

  remove(): void {
    try {
      if (this.isThere) unlinkSync(this.#path)
    } catch {
      // Its folder is not ours any more: it is in nobody's way.
    }
  }
}
