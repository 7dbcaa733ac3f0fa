/** Peers of connections by a unix socket: none has an address of its own. */
import { UNIX_PEER } from '../http/networks.ts'

/** Where a lane finds the addresses that its engine does not know. */
export interface PeerAddresses {
  /** False where the connection `fd` could be mistaken for another one. */
  add(fd: number): boolean
  /** Of the connection of `res`. */
  addressOf(res: { getRemotePort?(): number }): string
}

export const LOCAL_PEERS: PeerAddresses = { add: () => true, addressOf: () => UNIX_PEER }
