/**
 * Memory that the processes of a server have together: the supervisor makes it, each worker inherits its descriptor and
 * maps the parts that it wants. Made by `skin.ts`; called by `shared-tables.ts` and `supervisor/`.
 */
import type { About } from './skin.ts'

export interface SharedMemory {
  /**
   * A descriptor of `bytes` zeros, not inherited by child processes unless it is given to them. Pages that nobody has
   * written to take no memory (memfd_create(2)). Throws UWAS_ERR_NATIVE_LIMIT.
   */
  create(bytes: number): number
  /**
   * A part of it, to read and to write: what stands there is seen by all. `offset` is a multiple of 4096. Throws
   * UWAS_ERR_NATIVE_NOT_REGULAR where that does not lie inside of it, UWAS_ERR_NATIVE_LIMIT.
   */
  map(fd: number, offset: number, bytes: number): ArrayBuffer
}

/** The addon's functions without words. */
export interface RawShared {
  createShared(bytes: number): number
  mapShared(fd: number, offset: number, bytes: number): ArrayBuffer
}

/** Null without the addon, and where it is not Linux. */
export function createSharedMemory(
  { createShared, mapShared }: Partial<RawShared>,
  inWords: (error: unknown, about: About) => unknown,
): SharedMemory | null {
  if (createShared === undefined || mapShared === undefined) return null
  const told = <T>(subject: string, call: () => T): T => {
    try {
      return call()
    } catch (error) {
      throw inWords(error, { subject, root: '', expected: 'shared memory with such a part' })
    }
  }
  return {
    create: (bytes) => told(`shared memory of ${bytes} bytes`, () => createShared(bytes)),
    map: (fd, offset, bytes) =>
      told(`descriptor ${fd}, from ${offset}, ${bytes} bytes,`, () => mapShared(fd, offset, bytes)),
  }
}
