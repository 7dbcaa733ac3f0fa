/** What a lane serves: files first, by one look-up, then everything else. Made by `app.ts`. */
import type { Log } from '../core/log.ts'
import type { Services } from '../core/services.ts'
import type { Catalogue } from '../files/catalogue.ts'
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { Observer } from '../observe/observer.ts'
import type { TraceLog } from '../observe/trace-log.ts'
import type { Tracer } from '../observe/tracing/tracer.ts'
import type { PageStore } from '../pages/page-store.ts'
import type { AllowedHosts } from '../was/allowed-hosts.ts'
import type { ErrorPages } from '../was/error-pages.ts'
import type { SiteGuards } from '../was/guards/guards.ts'
import type { SiteRules } from '../was/site-rules.ts'
import type { SiteSockets } from '../was/site-sockets.ts'

/** What one request may cost, as the configuration says it. */
export interface RequestLimits {
  readonly maxBodyBytes: number
  readonly maxUrlBytes: number
  /** 0 is no limit, here and below. */
  readonly minSendBytesPerSecond: number
  readonly minReceiveBytesPerSecond: number
  readonly maxResponseSeconds: number
}

export interface Application {
  readonly files: Pick<Catalogue, 'lookup' | 'redirect'>
  /** Cached pages, looked up where there is no file; null when the site has none. */
  readonly pages: Pick<PageStore, 'find'> | null
  /** What is asked before files and views; null when the site has no such rules. */
  readonly rules: SiteRules | null
  /** What stands before all answers; null when the site has none. */
  readonly guards: SiteGuards | null
  /** The hosts that the site answers for; null for any, or where only proxies know which the client has named. */
  readonly hosts: AllowedHosts | null
  /** Whether a path, as it was sent, tells the site's health: whatever host a request for it names. */
  readonly tellsHealth: (rawPath: string, host: string) => boolean
  /** Where WebSockets are opened; null when the site has none. */
  readonly sockets: SiteSockets | null
  readonly services: Services
  /** Answers what is no file. Never throws or rejects: errors are replies already. */
  readonly dispatch: (req: Request) => Reply | Promise<Reply>
  /** The 404 page, for a path that is in no canonical form and so must not reach the URL conf. */
  readonly notFound: (req: Request) => Reply | Promise<Reply>
  /** The 413 page, for a body that is too long by its own word and so is not read. */
  readonly tooLarge: (req: Request) => Reply | Promise<Reply>
  /** The page of an error that no view has thrown: a file's 406, 412 or 416. Never throws. */
  readonly errorPages: ErrorPages
  /** Longest body of a request, in bytes: its route may have a limit of its own. `host` is its client's. */
  readonly bodyLimit: (method: string, path: string, host: () => string) => number
  /** Where timings go, or null when the site does not record them. */
  readonly traces: TraceLog | null
  /** Who decides whether a request is told as an OpenTelemetry trace; null: none is. It is among the observer's. */
  readonly tracer: Pick<Tracer, 'begin'> | null
  /** Who hears of every answered request; null when nobody wants to. */
  readonly observer: Observer | null
  readonly limits: RequestLimits
  readonly log: Log
}
