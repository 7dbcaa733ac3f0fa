/** What the observer of a site is told of requests: a record for each, filled in while the request is there. */
import type { FileEntry } from '../files/entry.ts'
import { TRUSTED_PROXIES } from '../http/forwarded.ts'
import type { Request } from '../http/request.ts'
import { type Answerer, ExchangeRecord } from '../observe/exchange-record.ts'
import type { Observer } from '../observe/observer.ts'
import type { Handler } from '../was/dispatch.ts'
import type { Application } from './application.ts'
import type { EngineRequest, EngineResponse } from './engine-types.ts'
import type { PeerAddresses } from './local-peers.ts'
import { addressOf } from './native-fields.ts'
import { FieldScan } from './native-scan.ts'
import type { OpenConnections } from './open-connections.ts'
import { refusalLength } from './refusal.ts'

/** The lane's own, read anew each time. */
interface Surroundings {
  readonly application: Application
  readonly peers: PeerAddresses | null
  readonly connections: Pick<OpenConnections, 'sole'>
}

/** A request, and the scan that has read it. */
interface Told {
  readonly observer: Observer
  readonly scan: FieldScan
  readonly method: string
  /** What answers it, where that is known. */
  readonly entry: FileEntry | null
}

export class Records {
  /** Of the request that is answered now, as sent: the engine makes another text each time it is asked. */
  path: string
  readonly #lane: Surroundings
  readonly #secure: boolean
  readonly #scan: FieldScan
  #brief: { readonly observer: Observer; readonly record: ExchangeRecord } | null

  /** `secure`: the lane's connections are TLS. */
  constructor(lane: Surroundings, secure: boolean) {
    this.path = ''
    this.#lane = lane
    this.#secure = secure
    this.#scan = new FieldScan()
    this.#brief = null
  }

  /** For an answer that is sent within this call of the engine: the next one gets the same record. */
  brief(res: EngineResponse, req: EngineRequest, told: Told): ExchangeRecord {
    const { observer } = told
    if (this.#brief?.observer !== observer) {
      this.#brief = { observer, record: new ExchangeRecord(observer) }
    }
    const { record } = this.#brief
    record.begin()
    return this.#fill(record, res, req, told)
  }

  lasting(res: EngineResponse, req: EngineRequest, told: Told): ExchangeRecord {
    return this.#fill(new ExchangeRecord(told.observer), res, req, told)
  }

  /** Of a request that no scan has read, or null when nobody wants it. */
  ofStrict(res: EngineResponse, req: EngineRequest): ExchangeRecord | null {
    const { observer } = this.#lane.application
    if (observer === null) return null
    const scan = this.#scan
    scan.read(req)
    this.path = req.getUrl()
    const method = req.getCaseSensitiveMethod()
    return this.lasting(res, req, { observer, scan, method, entry: null })
  }

  /** A connection from `address` ends with a refusal, for bytes that were no request. */
  senseless(status: number, address: string, hint = ''): void {
    const { observer } = this.#lane.application
    if (observer === null) return
    const record = new ExchangeRecord(observer)
    record.address = address
    if (observer.needsTime) record.startedAt = performance.now()
    record.end(status, refusalLength(status, hint), false, false)
  }

  #fill(
    record: ExchangeRecord,
    res: EngineResponse,
    req: EngineRequest,
    { observer, scan, method, entry }: Told,
  ): ExchangeRecord {
    if (observer.needsTime) record.startedAt = performance.now()
    if (entry !== null) {
      record.answerer = answererOf(entry)
      record.route = entry.route
    }
    record.method = method
    if (!observer.needsClient) return record
    record.path = this.path
    record.search = req.getQuery() ?? ''
    record.protocol = req.protocol ?? 'HTTP/1.1'
    record.secure = this.#secure
    record.host = scan.host
    record.referer = scan.referer
    record.userAgent = scan.userAgent
    this.#tellClient(record, res, req)
    if (observer.fields.length > 0) record.fields = fieldsOf(req, observer.fields)
    return record
  }

  #tellClient(record: ExchangeRecord, res: EngineResponse, req: EngineRequest): void {
    const { application, peers, connections } = this.#lane
    // Those that Node has are others.
    const sole = res.getRemoteAddress === undefined ? '' : connections.sole
    const remoteAddress = sole || addressOf(res, peers)
    record.address = remoteAddress
    record.scheme = this.#secure ? 'https' : 'http'
    record.clientHost = record.host
    const proxies = application.services.find(TRUSTED_PROXIES)
    if (proxies === undefined) return
    const header = (name: string): string | undefined => fieldsOf(req, [name])[name]
    const client = proxies.clientOf({ remoteAddress, secure: this.#secure, header })
    record.address = client.address
    record.scheme = client.scheme
    record.clientHost = client.host
  }
}

/** What answers with a file or a page, behind guards. */
export type FileHandler = Handler & { readonly entry: FileEntry }

/** `answer`, with `record` told of the request and of who has answered it: of files and behind guards the server alone until it runs. */
export function followed(
  record: ExchangeRecord | null,
  request: Request,
  answer: Handler | FileHandler,
  isGuarded: boolean,
): Handler {
  if (record === null) return answer
  record.follow(request)
  if (!isGuarded && !('entry' in answer)) return answer
  record.answerer = 'server'
  return (req) => {
    record.answerer = 'entry' in answer ? answererOf(answer.entry) : 'view'
    if ('entry' in answer) req.route = answer.entry.route
    return answer(req)
  }
}

function answererOf({ route }: FileEntry): Answerer {
  return route === '' ? 'static' : 'page'
}

/** Several of one name joined, as `req.header` has them. */
function fieldsOf(req: EngineRequest, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {}
  req.forEach((name, value) => {
    if (!names.includes(name) || value === '') return
    found[name] = found[name] === undefined ? value : `${found[name]}, ${value}`
  })
  return found
}
