/**
 * What stands before files, rules and views: fences, challenges of a certificate authority, the site's hosts, and
 * where requests in clear belong. A request that has been scanned comes in; a refusal, a reply or nothing leaves.
 */
import type { Reply } from '../http/reply.ts'
import type { Application } from './application.ts'
import type { EngineRequest, EngineResponse } from './engine-types.ts'
import { refuseFields, refuseMethod } from './fences.ts'
import type { PeerAddresses } from './local-peers.ts'
import { NativeFields } from './native-fields.ts'
import type { FieldScan } from './native-scan.ts'
import type { Scheme } from './scheme.ts'

/** The lane's own, read anew each time. */
interface Surroundings {
  readonly application: Application
  readonly peers: PeerAddresses | null
}

export class FirstAnswers {
  readonly #lane: Surroundings
  readonly #scan: FieldScan
  readonly #scheme: Scheme
  /** The Host value that last passed its grammar: nearly always the same. */
  #goodHost: string

  /** `scan` has read the request that a call is about. */
  constructor(lane: Surroundings, scan: FieldScan, scheme: Scheme) {
    this.#lane = lane
    this.#scan = scan
    this.#scheme = scheme
    this.#goodHost = ''
  }

  /** `path` as it was sent. A status, or 'close', for what no view may see; null for all else. */
  of(
    res: EngineResponse,
    req: EngineRequest,
    method: string,
    path: string,
  ): Reply | number | 'close' | null {
    const refused = refuseMethod(method) || refuseFields(this.#scan, this.#goodHost)
    if (refused !== 0) return refused
    const { host } = this.#scan
    const { challenges, redirect } = this.#scheme
    const proof = challenges === null ? null : challenges.answer(method, path)
    if (proof !== null) return proof
    const { hosts, tellsHealth } = this.#lane.application
    if (hosts !== null && !hosts.allows(host) && !tellsHealth(path, host)) return hosts.refusal
    const moved = redirect === null ? null : this.moved(res, req, host)
    if (moved === null) this.#goodHost = host
    return moved
  }

  /** Where a request in clear belongs; null: here. */
  moved(res: EngineResponse, req: EngineRequest, host: string): Reply | number | null {
    const fieldsOf = () => new NativeFields(req, res, '', this.#lane.peers)
    return this.#scheme.redirect?.answer(this.#lane.application, host, req, fieldsOf) ?? null
  }
}
