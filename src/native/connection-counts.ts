/**
 * Counts of open connections, of all processes of a server together: a descriptor comes in, whether there is room for its
 * connection leaves. What counts as open is what the kernel says, so nobody tells of an end. Made by `skin.ts`; asked by the
 * gate of the addon, and by `server/` for connections that Node has accepted.
 */
import { randomFillSync } from 'node:crypto'
import type { About } from './skin.ts'

/** Room in shared memory: a page with sums, and a table for each of 256 processes; as native/core/connection_counts.h. */
export const CONNECTION_BYTES = 4096 + 256 * 262_144
/** Processes that can count there. */
export const CONNECTION_ROWS = 256

const SEED_BYTES = 16

/** What of the shared memory a process counts in. */
export interface CountsPlace {
  readonly fd: number
  readonly offset: number
  /** Nobody else's; -1 for none. */
  readonly row: number
  /** 16 bytes that clients do not know; the same in all processes. */
  readonly seed: Uint8Array
}

/** A network: `::ffff:a.b.c.d` has the bits of IPv4 and 96 more. */
export interface NetworkBits {
  readonly address: string
  readonly bits: number
}

export interface CountOptions {
  /** 0 is no limit, here and below. */
  readonly total: number
  /** Of IPv6 the /64 is one. */
  readonly perAddress: number
  /** Neither limit holds for them. */
  readonly exempt: readonly NetworkBits[]
  /** Who hands on the connections of many clients: only `total` holds. */
  readonly shared: readonly NetworkBits[]
  /** Whether unix sockets are exempt; else only `total` holds. */
  readonly exemptsUnix: boolean
  /** Answer for a client in clear that has asked something. */
  readonly refusal: Uint8Array
}

/** Whether a connection is counted, or which limit there is no room under. */
export type Admission = 'taken' | 'address' | 'total'

/** By the numbers of native/core/connection_counts.h. */
const ADMISSIONS: readonly Admission[] = ['taken', 'address', 'total']

export interface ConnectionStats {
  /** Connections of this process, as of now. */
  readonly open: number
  /** Since the start, by the limit. */
  readonly refusedTotal: number
  readonly refusedAddress: number
  /** Who was refused last for having too many; empty before. */
  readonly lastRefused: string
}

declare const counts: unique symbol
/** The addon's own. */
export type RawCounts = { readonly [counts]: true }

export interface ConnectionCounts {
  /** For the gate. */
  readonly raw: RawCounts
  /** Counts the connection `fd` where there is room. */
  admit(fd: number): Admission
  /** The client behind a counted connection is another one than its peer. */
  move(fd: number, client: string): Admission
  /** Lets go of connections that have been closed; that has to be called now and then. */
  sweep(): ConnectionStats
}

export interface ConnectionCounting {
  /** By default in memory of this process alone. Throws UWAS_ERR_NATIVE_LIMIT, UWAS_ERR_NATIVE_NOT_REGULAR. */
  open(options: CountOptions, place: CountsPlace | null): ConnectionCounts
  /** Forgets what a process that has ended had open. Throws as `open`. */
  clear(place: Omit<CountsPlace, 'seed'>): void
}

/** The addon's functions without words. */
export interface RawCounting {
  countConnections(
    fd: number,
    offset: number,
    row: number,
    options: Omit<CountOptions, 'exempt' | 'shared'> & {
      readonly exempt: readonly (string | number)[]
      readonly shared: readonly (string | number)[]
      readonly seed: BigUint64Array
    },
  ): RawCounts
  clearConnections(fd: number, offset: number, row: number): void
  admitConnection(raw: RawCounts, fd: number): number
  moveConnection(raw: RawCounts, fd: number, client: string): number
  sweepConnections(
    raw: RawCounts,
  ): [open: number, refusedTotal: number, refusedAddress: number, lastRefused: string]
}

/** Null without the addon, and where it is not Linux. */
export function createCounting(
  functions: Partial<RawCounting>,
  inWords: (error: unknown, about: About) => unknown,
): ConnectionCounting | null {
  if (!isWhole(functions)) return null
  const { countConnections, clearConnections } = functions
  const about = { subject: 'the counts of connections', root: '', expected: 'shared memory' }
  return {
    open(options, place) {
      const { fd, offset, row, seed } = place ?? ownPlace()
      const { exempt, shared, ...rest } = options
      const lists = { exempt: flat(exempt), shared: flat(shared) }
      const words = { seed: new BigUint64Array(Uint8Array.from(seed).buffer) }
      try {
        return wrap(functions, countConnections(fd, offset, row, { ...rest, ...lists, ...words }))
      } catch (error) {
        throw inWords(error, about)
      }
    },
    clear({ fd, offset, row }) {
      try {
        clearConnections(fd, offset, row)
      } catch (error) {
        throw inWords(error, about)
      }
    },
  }
}

function isWhole(functions: Partial<RawCounting>): functions is RawCounting {
  return functions.countConnections !== undefined && functions.sweepConnections !== undefined
}

function wrap(
  { admitConnection, moveConnection, sweepConnections }: RawCounting,
  raw: RawCounts,
): ConnectionCounts {
  return {
    raw,
    admit: (fd) => ADMISSIONS[admitConnection(raw, fd)] as Admission,
    move: (fd, client) => ADMISSIONS[moveConnection(raw, fd, client)] as Admission,
    sweep() {
      const [open, refusedTotal, refusedAddress, lastRefused] = sweepConnections(raw)
      return { open, refusedTotal, refusedAddress, lastRefused }
    },
  }
}

function ownPlace(): CountsPlace {
  return { fd: -1, offset: 0, row: -1, seed: randomFillSync(new Uint8Array(SEED_BYTES)) }
}

function flat(networks: readonly NetworkBits[]): (string | number)[] {
  return networks.flatMap(({ address, bits }) => [address, bits])
}
