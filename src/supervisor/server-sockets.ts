/**
 * All listening sockets of a server: opened by its addresses, or those that it was started with, by a service manager or
 * by the server that it takes over from. Kept by `supervisor.ts`.
 */
import { closeSync } from 'node:fs'
import type { Gate } from '../native/gate.ts'
import { SocketFile } from '../server/socket-file.ts'
import type { SocketAddress } from './addresses.ts'
import {
  adoptSocket,
  type HandedSockets,
  type Held,
  type ListeningSocket,
  ListeningSockets,
} from './listening-sockets.ts'

/** What a process was started with. */
export interface GivenSockets {
  /** By a service manager: where there are some, others are not opened. */
  readonly activated: readonly number[]
  /** By the server that it takes over from. */
  readonly handed: readonly HandedSockets[]
}

export interface OpenOptions {
  /** Of workers, each of which gets a socket. */
  readonly count: number
  /** Waits a while for an address that is taken. */
  readonly isPatient: boolean
}

export class ServerSockets {
  /** Null where workers listen by themselves. */
  readonly #gate: Gate | null
  readonly #given: GivenSockets
  readonly #all: ListeningSockets[]
  /** Of unix sockets that were handed over, where this process does not listen. */
  readonly #unused: SocketFile[]

  constructor(gate: Gate | null, given: GivenSockets) {
    this.#gate = gate
    this.#given = given
    this.#all = []
    this.#unused = []
  }

  get all(): readonly ListeningSocket[] {
    return this.#all.flatMap(({ all }) => all)
  }

  /**
   * Resolves to the addresses with the ports that have been found. Of those of a service manager, the ones at a port for
   * TLS are for TLS. One address after the other: who shares one would not notice that both are the same.
   */
  async open(addresses: readonly SocketAddress[], options: OpenOptions): Promise<SocketAddress[]> {
    const gate = this.#gate
    const held = gate === null ? [] : this.#given.activated.map((fd) => adoptSocket(gate, fd))
    const handed = [...this.#given.handed]
    const tlsPorts = addresses.filter(({ isTls }) => isTls).map(({ port }) => port)
    const found: SocketAddress[] = []
    const add = async (sockets: ListeningSockets): Promise<void> => {
      this.#all.push(sockets)
      // Clients of another process that serves there would come to more of them, and wait: `first` opens those later.
      if (!sockets.isLent) await sockets.first(options.count)
    }
    for (const isTls of [false, true]) {
      const wanted = addresses.filter((one) => one.isTls === isTls)
      const own = held.filter(({ port }) => tlsPorts.includes(port) === isTls)
      const [first] = wanted
      if (first !== undefined && own.length > 0) {
        await add(ListeningSockets.inherit(first, own))
        found.push(...own.map((one) => inheritedAddress(first, one)))
        continue
      }
      for (const address of wanted) {
        const sockets = await openAt(gate, address, takeFrom(handed, address), options.isPatient)
        if (sockets !== null) await add(sockets)
        found.push({ ...address, port: sockets?.port ?? address.port })
      }
    }
    // Of an address that is not listened at any more: in a socket that nobody reads, clients would wait.
    for (const { fds, address } of handed) {
      for (const fd of fds) closeSync(fd)
      if (address.path !== null) this.#unused.push(...SocketFile.at(address.path))
    }
    return found
  }

  async first(count: number): Promise<void> {
    for (const sockets of this.#all) await sockets.first(count)
  }

  /** What another process needs to listen there, too. */
  get given(): GivenSockets {
    const handed = (isActivated: boolean): HandedSockets[] =>
      this.#all.filter((one) => one.isActivated === isActivated).flatMap((one) => one.handed ?? [])
    return { activated: handed(true).flatMap(({ fds }) => fds), handed: handed(false) }
  }

  /** What has been handed to this process is its own from now on. */
  keep(): void {
    for (const sockets of this.#all) sockets.keep()
  }

  /** Those files are in the way of nobody any more. */
  dropUnused(): void {
    for (const file of this.#unused) file.remove()
    this.#unused.length = 0
  }

  /** They are those of the process that has been handed them. */
  leave(): void {
    for (const sockets of this.#all) sockets.leave()
  }

  close(): void {
    for (const sockets of this.#all) sockets.close()
  }
}

/** Those at this address, which are not among `handed` any more then. */
function takeFrom(handed: HandedSockets[], wanted: SocketAddress): HandedSockets | undefined {
  const at = handed.findIndex(({ address }) =>
    (['host', 'port', 'path', 'isTls'] as const).every((key) => address[key] === wanted[key]),
  )
  return at < 0 ? undefined : handed.splice(at, 1)[0]
}

/** Null: the workers listen there by themselves. */
async function openAt(
  gate: Gate | null,
  address: SocketAddress,
  handed: HandedSockets | undefined,
  isPatient: boolean,
): Promise<ListeningSockets | null> {
  if (gate === null) return address.isTls ? await ListeningSockets.openOne(address) : null
  if (handed !== undefined) return ListeningSockets.borrow(gate, address, handed)
  return await ListeningSockets.open(gate, address, isPatient)
}

function inheritedAddress(address: SocketAddress, { port, isLocal }: Held): SocketAddress {
  return { ...address, host: null, port, path: isLocal ? 'inherited' : null }
}
