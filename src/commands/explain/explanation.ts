/** What `uwas explain` finds out about one request. Made by `decide.ts`, printed by `print.ts`, or as JSON. */
import type { Catalogue } from '../../files/catalogue.ts'
import type { HeaderList } from '../../http/headers.ts'
import type { Middleware } from '../../http/view.ts'
import type { Judge } from '../../native/gate.ts'
import type { CompiledUrls } from '../../route/compile.ts'
import type { PathOptions } from '../../route/entry.ts'
import type { SiteConfig } from '../../was/config.ts'
import type { CsrfRule } from '../../was/csrf/guard.ts'
import type { SiteShed } from '../../was/limits/options.ts'
import type { SiteRules } from '../../was/site-rules.ts'

/** A site as far as it decides who answers. */
export interface ExplainedSite {
  readonly config: SiteConfig
  readonly files: Catalogue
  readonly urls: CompiledUrls
  readonly rules: SiteRules | null
  /** The gate's judgement; null where there is no gate. */
  readonly judge: Judge | null
}

/** Who answers. `refusal`: the server itself, before any rule of the site. */
export type By =
  | 'refusal'
  | 'redirect'
  | 'file'
  | 'preflight'
  | 'view'
  | 'slash'
  | 'options'
  | 'methodNotAllowed'
  | 'health'
  | 'fallback'
  | 'notFound'
  | 'error'

export interface Explanation {
  readonly method: string
  /** Path and query as a client sends them. */
  readonly url: string
  readonly lane: LaneFacts
  readonly by: By
  /** Null where only the view knows. */
  readonly status: number | null
  /** One sentence: what answers, and where it stands. */
  readonly summary: string
  /** What was looked at, in order, and what was found there. */
  readonly steps: readonly { readonly stage: string; readonly finding: string }[]
  readonly file: FileFacts | null
  readonly route: RouteFacts | null
  /** Of a route with `cached`, for GET and HEAD. */
  readonly cache: CacheFacts | null
  /** Names of the functions around the answer, outermost first; empty where none run. */
  readonly middleware: readonly string[]
  readonly limits: LimitFacts
  /** The CORS policy of the path; null where none covers it. */
  readonly cors: { readonly prefix: string; readonly origins: string } | null
  /** What a form that is sent to it has to prove: see `csrf` of `path()`. */
  readonly csrf: CsrfRule
  /** Who may ask, and how often: rules that stand before the answer, whoever gives it. */
  readonly guards: readonly string[]
  /** How the answer is compressed. */
  readonly compression: string
  /** What is known of the answer's fields before it is made: of a file all, of a view what every reply has. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** What was probably meant. */
  readonly hints: readonly string[]
}

/** Who reads the connection: the engine, or, of what is not plainly ordinary, Node's own parser. */
export interface LaneFacts {
  readonly name: 'native' | 'strict'
  readonly because: string
}

export interface FileFacts {
  /** Prefix and folder of its entry in `static`. */
  readonly prefix: string
  readonly dir: string
  /** The file, or for a redirect the path that it leads to. */
  readonly path: string
  readonly bytes: number
  readonly type: string
  readonly etag: string
  readonly lastModified: string
  readonly cacheControl: string
  /** Sent from memory, or, above `files.maxFileBytes`, from the disk. */
  readonly from: 'memory' | 'disk'
  readonly variants: readonly {
    readonly coding: string
    readonly bytes: number
    readonly etag: string
  }[]
}

export interface RouteFacts {
  readonly pattern: string
  /** Empty for a route without a name. */
  readonly name: string
  /** `urls.ts:12` */
  readonly place: string
  readonly methods: readonly string[]
  /** Name of the view's function. */
  readonly view: string
  readonly params: Readonly<Record<string, unknown>>
}

export interface CacheFacts {
  readonly seconds: number
  readonly staleSeconds: number
  readonly graceSeconds: number
  /** Those of the route; its view may add others. */
  readonly tags: readonly string[]
  /** Host with path and query, then the values of what varies; null for a request that goes to the view. */
  readonly key: readonly string[] | null
  /** Why it goes to the view. */
  readonly bypass: string | null
  /** Request fields that choose between pages; empty for none. */
  readonly varies: string
}

export interface LimitFacts {
  readonly maxUrlBytes: number
  readonly maxHeaderBytes: number
  readonly maxBodyBytes: number
  /** Until the view returns its reply; 0: none. */
  readonly maxViewMs: number
  readonly minSendBytesPerSecond: number
  readonly maxResponseSeconds: number
  /** When it is 503 since there is too much to do; null: never. */
  readonly shed: SiteShed | null
}

/** What one stage says of its request: nothing (the next one is asked), or the end of the way. */
export interface Verdict extends Pick<Explanation, 'by' | 'status' | 'summary'> {
  readonly file?: FileFacts
  /** Decoded path of the file that answers in place of the one that was asked for; null: none. */
  readonly shell?: string | null
  readonly route?: RouteFacts
  readonly cache?: CacheFacts | null
  /** Of the route; its middleware runs inside of the site's. */
  readonly options?: Readonly<PathOptions>
  readonly middleware?: readonly Middleware[]
  readonly csrf?: CsrfRule
  readonly hints?: readonly string[]
  /** All fields; in their place `own`, which those that every reply has are added to. */
  readonly headers?: Explanation['headers']
  readonly own?: HeaderList
}

/** The request that is asked about. */
export interface Asked {
  readonly method: string
  /** Percent-encoded path, as it is sent. */
  readonly rawPath: string
  /** Without `?`. */
  readonly search: string
  readonly version: '1.0' | '1.1'
  /** As they are sent. */
  readonly list: readonly (readonly [name: string, value: string])[]
  /** By lower-case name; `host` is there in any case. */
  readonly fields: ReadonlyMap<string, string>
}
