/**
 * Rooms of the site's WebSockets: what is published to one goes to every socket that has joined it. The
 * engine has topics of its own, for a fifth less CPU, but they let a slow reader miss messages without a
 * word, and leave no room for the Close frame that would tell it.
 */
import type { ServiceKey } from '../core/services.ts'
import type { Request } from '../http/request.ts'
import { checkMessage, checkRoom, type SocketMessage } from '../http/socket.ts'

/** A socket, as a room knows it. */
export interface RoomMember {
  /** Sends what has been checked, and encoded once for all. */
  deliver(content: Uint8Array, isBinary: boolean): void
}

/** The rooms of a site: those that its sockets have joined, in this process. */
export class Rooms {
  /** Empty ones are removed. */
  readonly #members = new Map<string, Set<RoomMember>>()

  /**
   * Sends to all sockets in `room`; returns how many there are. A slow reader is handled as its route says.
   * Throws UWAS_ERR_HTTP_SOCKET for what is no message or no room.
   */
  publish(room: string, message: SocketMessage): number {
    this.publishExcept(null, room, message)
    return this.count(room)
  }

  /** Sockets in `room`. Throws UWAS_ERR_HTTP_SOCKET. */
  count(room: string): number {
    checkRoom('count', room)
    return this.#members.get(room)?.size ?? 0
  }

  /** For `server/`: to all but one. */
  publishExcept(self: RoomMember | null, room: string, message: SocketMessage): void {
    checkRoom('publish', room)
    checkMessage('publish', message)
    const members = this.#members.get(room)
    if (members === undefined) return
    const isBinary = typeof message !== 'string'
    const content = isBinary ? message : Buffer.from(message)
    for (const member of members) {
      if (member !== self) member.deliver(content, isBinary)
    }
  }

  /** For `server/`. */
  join(room: string, member: RoomMember): void {
    const members = this.#members.get(room)
    if (members === undefined) this.#members.set(room, new Set([member]))
    else members.add(member)
  }

  /** For `server/`. */
  leave(room: string, member: RoomMember): void {
    const members = this.#members.get(room)
    members?.delete(member)
    if (members?.size === 0) this.#members.delete(room)
  }
}

/** The site's rooms, as a service. */
export const ROOMS: ServiceKey<Rooms> = {
  name: 'rooms',
  hint: 'call it with a request of a site that uwas serves',
}

/** The rooms of the site that `req` belongs to: `rooms(req).publish('board', 'new post')`. */
export function rooms(req: Pick<Request, 'services'>): Rooms {
  return req.services.get(ROOMS)
}
