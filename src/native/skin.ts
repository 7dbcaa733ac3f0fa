/**
 * What the addon and its stand-in have in common: the interface that the rest of uwas sees, checks
 * of arguments, and errors with words. `load.ts` puts one of the two underneath.
 */
import { getSystemErrorMap, inspect } from 'node:util'
import { type CodedError, createError, ERRORS, type ErrorCode } from '../core/errors.ts'
import { type ConnectionCounting, createCounting, type RawCounting } from './connection-counts.ts'
import { createGate, createJudge, type Gate, type Judge, type RawGate } from './gate.ts'
import { createOwnProcess, type OwnProcess, type RawProcess } from './own-process.ts'
import { createSharedMemory, type RawShared, type SharedMemory } from './shared-memory.ts'

/**
 * Calls into the system. They are synchronous, and throw `UWAS_ERR_NATIVE_…` (the message has
 * the path and the system's reason; `cause` is what was thrown underneath).
 */
export interface Native {
  /**
   * The bytes of the whole regular file at `path`, at most `MAX_MAP_BYTES`.
   *
   * With the addon they are a read-only shared mapping (mmap(2)), not a copy: it ends when the
   * ArrayBuffer is collected, or its worker thread ends. So:
   * - only for files that are never truncated or written in place (the content-addressed store):
   *   bytes past the end of a file that shrank kill the process with SIGBUS. Unlinking the file or
   *   renaming another over it is harmless, the bytes stay.
   * - the bytes must not be written to: that kills the process with SIGSEGV.
   * - transferring the ArrayBuffer to another thread copies it (Node 20) or is refused (later).
   * The stand-in reads a copy. So does the addon where the runtime has no external buffers.
   */
  mapFile(path: string): ArrayBuffer

  /**
   * Opens the regular file or folder that the relative `path` names below the folder `root`, for
   * reading, and returns its descriptor, which the caller closes.
   *
   * Never reaches anything that is not below `root`: `..` and symbolic links are followed while they
   * stay inside; absolute paths, absolute links and whatever leads out is UWAS_ERR_NATIVE_OUTSIDE.
   * `root` itself may be a link. Hard links and mounts inside count as inside. `.` is the root.
   * The addon leaves the decision to the kernel: openat2(2), RESOLVE_BENEATH and
   * RESOLVE_NO_MAGICLINKS, which no race can deceive. The stand-in looks where the descriptor really
   * is after opening.
   */
  openBeneath(root: string, path: string): number

  /** Accepts connections and looks at them first; null on the stand-in, and where there is no epoll. */
  readonly gate: Gate | null

  /** Null where there is no gate. */
  readonly ownProcess: OwnProcess | null
  /** Null where there is no gate. */
  readonly sharedMemory: SharedMemory | null
  /** Counts of open connections; null as the gate is. */
  readonly counting: ConnectionCounting | null
  /** What the gate would make of a connection, for tools; null as the gate is. */
  readonly judge: Judge | null

  readonly kind: 'addon' | 'stand-in'
  /** Why there is no addon; only on the stand-in. One line, for the warning at start. */
  readonly reason?: string
}

/** The functions without checks and words. They throw errors that have `code` and `errno`. */
export type RawNative = Pick<Native, 'mapFile' | 'openBeneath'> &
  Partial<RawGate> &
  Partial<RawProcess> &
  Partial<RawShared> &
  Partial<RawCounting>

export type NativeCode = Extract<ErrorCode, `UWAS_ERR_NATIVE_${string}`>

/** The largest file that `mapFile` takes, in bytes. The same number is in native/binding/map_file.cc. */
export const MAX_MAP_BYTES = 2 ** 30

/** Wraps `raw` so that arguments are checked before it and failures get their words after it. */
export function createNative(raw: RawNative, kind: Native['kind'], reason?: string): Native {
  return {
    kind,
    gate: createGate(raw, inWords),
    ownProcess: createOwnProcess(raw),
    sharedMemory: createSharedMemory(raw, inWords),
    counting: createCounting(raw, inWords),
    judge: createJudge(raw),
    ...(reason === undefined ? {} : { reason }),
    mapFile(path) {
      checkString('mapFile', 'path', path)
      const about = { subject: JSON.stringify(path), root: '', expected: 'a regular file' }
      checkNul(path, 'UWAS_ERR_NATIVE_PATH', about)
      try {
        return raw.mapFile(path)
      } catch (error) {
        throw inWords(error, about)
      }
    },
    openBeneath(root, path) {
      checkString('openBeneath', 'root', root)
      checkString('openBeneath', 'path', path)
      const about = beneath(root, path)
      checkNul(root, 'UWAS_ERR_NATIVE_ROOT', about)
      checkNul(path, 'UWAS_ERR_NATIVE_PATH', about)
      try {
        return raw.openBeneath(root, path)
      } catch (error) {
        throw inWords(error, about)
      }
    },
  }
}

/** What the words of a failure are made of. */
export type About = { readonly subject: string; readonly root: string; readonly expected: string }

function beneath(root: string, path: string): About {
  return {
    subject: `${JSON.stringify(path)} beneath ${JSON.stringify(root)}`,
    root: JSON.stringify(root),
    expected: 'a regular file or a folder',
  }
}

function checkString(call: string, name: string, value: unknown): void {
  if (typeof value !== 'string') {
    throw createError('UWAS_ERR_NATIVE_ARGUMENT', { call, name, value: inspect(value) })
  }
}

function checkNul(
  text: string,
  code: 'UWAS_ERR_NATIVE_PATH' | 'UWAS_ERR_NATIVE_ROOT',
  about: About,
) {
  if (text.includes('\0')) {
    throw createError(code, { ...about, reason: 'it contains a NUL character' })
  }
}

function inWords(error: unknown, about: About): unknown {
  if (!isRawFailure(error)) return error
  const values = { ...about, reason: reasonOf(error.errno), limit: MAX_MAP_BYTES }
  return createError<RawCode>(error.code, values, error) satisfies CodedError
}

type RawCode = Exclude<NativeCode, 'UWAS_ERR_NATIVE_ADDON' | 'UWAS_ERR_NATIVE_ARGUMENT'>
type RawFailure = Error & { readonly code: RawCode; readonly errno: number }

function isRawFailure(value: unknown): value is RawFailure {
  if (!(value instanceof Error)) return false
  const { code, errno } = value as Partial<RawFailure>
  return typeof code === 'string' && Object.hasOwn(ERRORS, code) && typeof errno === 'number'
}

/** `ENOENT: no such file or directory`, in the words that Node's own errors use. */
function reasonOf(errno: number): string {
  const known = getSystemErrorMap().get(-errno)
  return known === undefined ? `errno ${errno}` : `${known[0]}: ${known[1]}`
}
