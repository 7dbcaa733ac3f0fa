/** What a request that has been scanned finds: the file or page of its path, the reply of it, the guards before it. */
import { answer } from '../files/answer.ts'
import type { FileEntry, Prepared } from '../files/entry.ts'
import { FileReply, refusalOf } from '../files/send-file.ts'
import type { Request } from '../http/request.ts'
import type { Guard } from '../was/guards/guards.ts'
import type { Application } from './application.ts'
import type { EngineRequest } from './engine-types.ts'
import { share, withFields } from './extra-head.ts'
import type { FieldScan } from './native-scan.ts'
import type { FileHandler } from './records.ts'
import type { Scheme } from './scheme.ts'

export class Lookup {
  readonly #lane: { readonly application: Application }
  readonly #scan: FieldScan
  readonly #scheme: Scheme

  /** `scan` has read the request that a call is about; `lane` is asked for its application anew each time. */
  constructor(lane: { readonly application: Application }, scan: FieldScan, scheme: Scheme) {
    this.#lane = lane
    this.#scan = scan
    this.#scheme = scheme
  }

  /**
   * A file, or a page that a view has made for everybody: it is sent like one. Undefined besides where the URL is too
   * long: there is no page for such a one, and who looks further refuses it.
   */
  find(req: EngineRequest, path: string): FileEntry | undefined {
    const { files, pages } = this.#lane.application
    const entry = files.lookup(path)
    if (entry !== undefined) return this.#isTooLong(req, path) ? undefined : entry
    if (pages === null || this.#scan.hasAuthorization) return undefined
    const { host } = this.#scan
    const origin = this.#scheme.secure ? `https://${host}` : host
    return pages.find(origin, path, req.getQuery() ?? '', req)
  }

  /** A path that is a file's is short; what the client has put behind it may not be. Without a query this is one call. */
  #isTooLong(req: EngineRequest, path: string): boolean {
    const search = req.getQuery()
    if (search === undefined || search === '') return false
    return path.length + 1 + search.length > this.#lane.application.limits.maxUrlBytes
  }

  /** The reply that the conditions of the request choose. */
  prepare(req: EngineRequest, method: string, path: string, entry: FileEntry): Prepared {
    const { files, rules } = this.#lane.application
    const search = entry.redirect ? (req.getQuery() ?? '') : ''
    let prepared =
      search === '' ? answer(entry, method === 'GET', this.#scan) : files.redirect(entry, search)
    if (rules !== null) prepared = share(prepared, rules, path, this.#scan.origin)
    if (this.#scheme.fields !== null) prepared = withFields(prepared, this.#scheme.fields)
    return prepared
  }

  /** The same as an answer, for a guard to stand before. */
  answer(req: EngineRequest, method: string, path: string, entry: FileEntry): FileHandler {
    return this.told(this.prepare(req, method, path, entry), entry)
  }

  /** A reply that is chosen already, as an answer; in place of an error's the page of the site. */
  told(prepared: Prepared, entry: FileEntry): FileHandler {
    const { errorPages } = this.#lane.application
    const told =
      prepared.status < 400
        ? () => new FileReply(prepared)
        : (req: Request) => errorPages(req, refusalOf(prepared))
    return Object.assign(told, { entry })
  }

  /**
   * What stands before the answer, for the path as it was sent, decoded, and as a rewrite has made it. A load balancer
   * that asks for the site's health is let through.
   */
  guard(
    method: string,
    rawPath: string,
    asked: string | null,
    answered: string | null,
  ): Guard | null {
    const { guards, tellsHealth } = this.#lane.application
    const guard = guards?.of(method, asked, answered) ?? null
    return guard !== null && tellsHealth(rawPath, this.#scan.host) ? null : guard
  }
}
