/**
 * The shapes of a site's configuration: as its author writes it (`UserConfig`), and as the rest of uwas
 * reads it (`SiteConfig`: complete, checked, frozen). Made one from the other by `config.ts`.
 */
import type { CorsPolicy } from '../http/cors.ts'
import type { TrustedProxiesOptions } from '../http/forwarded.ts'
import type { SecurityHeaders } from '../http/security-headers.ts'
import type { Middleware } from '../http/view.ts'
import type { SiteAccessLog } from '../observe/access/options.ts'
import type { SiteTracing, TracingOptions } from '../observe/tracing/options.ts'
import type { UrlConf } from '../route/entry.ts'
import type { AccessLogConfig } from './access-log.ts'
import type { SiteAccounts } from './accounts/accounts.ts'
import type { PasswordOptions } from './accounts/passwords.ts'
import type { SiteAddress } from './address.ts'
import type { Compression, CompressionConfig } from './compression.ts'
import type { DatabaseConfig, DatabaseOptions } from './database-options.ts'
import type { AccessRule } from './guards/options.ts'
import type { HealthOptions, SiteHealth } from './health/options.ts'
import type { Limits, SiteLimits } from './limits/options.ts'
import type { ListenAddress } from './listen.ts'
import type { Redirect, Rewrite } from './rules.ts'
import type { ServerTimingOptions, SiteServerTiming } from './server-timing.ts'
import type { SiteStatus, StatusOptions } from './status.ts'
import type { SiteTls, TlsOptions } from './tls.ts'
import type { SiteWorkers } from './worker-limits.ts'
import type { WorkersOptions } from './workers.ts'

/** A folder of static files. */
export interface StaticFolder {
  /** Folder, relative to the configuration file. */
  readonly dir: string
  /** URL path below which its files answer. Default `/`. */
  readonly prefix?: string | undefined
  /** Names of the file that answers for its folder; the first that is there. Default `index.html`. */
  readonly index?: string | readonly string[] | undefined
  /** Pages without their ending: `/a` answers with `a.html`, `/a.html` redirects there. Default false. */
  readonly cleanUrls?: boolean | undefined
  /**
   * The page of a single-page application, relative to `dir`; true is `index.html`. It answers a GET that
   * takes HTML where no file and no route does, but for paths that end like an asset (`.js`, `.png`, …). Default false.
   */
  readonly spa?: boolean | string | undefined
  /** List folders that have no index, as a page or as JSON. Hidden files stay hidden. Default false. */
  readonly listing?: boolean | undefined
  /**
   * Whether files tell when they were modified. False omits Last-Modified, and ignores If-Modified-Since: where each
   * deployment writes new times to the same contents, ETags alone say what has changed. Default true.
   */
  readonly lastModified?: boolean | undefined
  /** Cache-Control by pattern; the first that fits a file counts. Default `no-cache` for all. */
  readonly cacheControl?: readonly CacheRule[] | undefined
  /**
   * Content-Type by the ending of a name, before what uwas knows: `{ md: 'text/markdown', old: 'text/html; charset=euc-kr' }`.
   * Text without a charset is sent as UTF-8; what is worth compressing is compressed. Default: none.
   */
  readonly types?: Readonly<Record<string, string>> | undefined
}

/** What caches may do with some files. */
export interface CacheRule {
  /**
   * Path relative to the folder: `*` stands for anything but `/`, `**` for anything, `?` for one character.
   * Without a `/` it is a file's name, in whatever folder: `*.woff2`.
   */
  readonly match: string
  /** The field's whole value: `public, max-age=3600`. */
  readonly cacheControl: string
}

/** What static files may cost, and how their changes are followed. */
export interface FilesOptions {
  /**
   * Contents in memory, in bytes, together with what `cache` keeps; what is used least leaves, and is read again
   * when needed. Default 512 MiB.
   */
  readonly maxBytes?: number | undefined
  /** Larger files are never in memory but sent from the disk piece by piece, in bytes. Default 16 MiB. */
  readonly maxFileBytes?: number | undefined
  /**
   * How changes are noticed: `'auto'` by the system's watches, on network folders by looking; `'poll'` by
   * looking every half second; `false` not at all. Default `'auto'`.
   */
  readonly watch?: 'auto' | 'poll' | false | undefined
  /** Deployments before the present one whose fingerprinted URLs still answer. Default 3. */
  readonly deployments?: number | undefined
}

/** Memory of cached pages and values. */
export interface CacheOptions {
  /**
   * Pages and values in memory together, in bytes, as a part of `files.maxBytes`; what is used least leaves.
   * 0: nothing is kept. Default 64 MiB.
   */
  readonly maxBytes?: number | undefined
  /**
   * Whether a tag that is invalidated here is invalidated in all processes that share the database, and the other way
   * round, by NOTIFY. It takes one connection of `database.poolSize` from the first thing on that is kept under a tag.
   * Default: with several workers. True for several servers, or where triggers or other programs invalidate.
   */
  readonly shared?: boolean | undefined
}

/** Where sessions are kept, and for how long. */
export interface SessionOptions {
  /**
   * `'postgres'`: in a table that uwas makes; the client has a random token. `'cookie'`: encrypted in the
   * client's cookie, at most 4 KiB, and nothing can be taken back before it expires. Default `'postgres'`.
   */
  readonly store?: 'postgres' | 'cookie' | undefined
  /** A session ends when nobody has asked for it for so long, within a tenth. Default 7 days. */
  readonly idleSeconds?: number | undefined
  /** It ends so long after it began, or its user signed in, whatever happens. Default 30 days. */
  readonly lifetimeSeconds?: number | undefined
  /** Longest data of one session in PostgreSQL, as JSON. Default 64 KiB. */
  readonly maxBytes?: number | undefined
  /** Its cookie; over TLS with `__Host-` before it. Default `session`. */
  readonly cookieName?: string | undefined
}

/** Users of the site. Attempts are counted in 15 minutes, at a steady pace after as many at once. */
export interface AccountOptions {
  /** Groups, and what their members may: `{ editors: ['posts.hide'] }`; `'*'` is everything. Default none. */
  readonly groups?: Readonly<Record<string, readonly string[]>> | undefined
  /** Where a person is sent who has to log in; with `?next=`. Default: nowhere, it is 401. */
  readonly logInPath?: string | undefined
  readonly passwords?: PasswordOptions | undefined
  /** Failed log-ins of one client, of IPv6 one /64. Default 50. */
  readonly maxLogInsPerAddress?: number | undefined
  /** Failed log-ins for one name, from wherever. Default 10. */
  readonly maxLogInsPerAccount?: number | undefined
  /** New accounts of one client. Default 30. */
  readonly maxSignUpsPerAddress?: number | undefined
}

/** How forms prove that they come from a page of this site. */
export interface CsrfOptions {
  /**
   * `'token'`: by a token in the form, and by what the browser says of its origin where it says something.
   * `'fetchMetadata'`: by what the browser says alone. A route may have its own. Default `'token'`.
   */
  readonly mode?: 'token' | 'fetchMetadata' | undefined
  /** Other origins whose pages may send forms here: `https://admin.example.org`. Default none. */
  readonly trustedOrigins?: readonly string[] | undefined
}

/** What `uwas.config.ts` exports as `config`. Every path is relative to that file's folder. */
export interface UserConfig {
  /** The site's URL conf. Without one only static files answer. */
  readonly urls?: UrlConf | undefined
  /** Folders of static files: a path (mounted at `/`), or a path and its prefix. Default none. */
  readonly static?: string | readonly (string | StaticFolder)[] | undefined
  readonly files?: FilesOptions | undefined
  readonly cache?: CacheOptions | undefined
  /** Folder of mustache templates. Default none. */
  readonly templates?: string | undefined
  /** Folder of SQL migrations, applied at start. Default none. */
  readonly migrations?: string | undefined
  /**
   * The database: `'embedded'` runs a PostgreSQL of the site's own below `stateDir`, a URL or an object
   * names a server, `false` means none. Default: the environment's DATABASE_URL where it is set and the
   * site has `urls` or `migrations`; else embedded where it has `migrations`; else none.
   */
  readonly database?: 'embedded' | false | string | DatabaseOptions | undefined
  /** Address to listen on. Default: all addresses; `uwas dev` only 127.0.0.1. */
  readonly host?: string | undefined
  /** Port to listen on, 0 for any free one. The environment's PORT wins. Default 8080. */
  readonly port?: number | undefined
  /** Several addresses in place of `host` and `port`, which the environment's PORT wins over. Default: those two. */
  readonly listen?: readonly ListenAddress[] | undefined
  /** Serves the site by TLS, on a port of its own. Default: not. */
  readonly tls?: TlsOptions | undefined
  /**
   * Processes that serve: a number, `'auto'` for one a core, 0 for none besides this one; or an object that says
   * more. Caches and whatever else a site keeps in memory are of one worker. Default 1.
   */
  readonly workers?: number | 'auto' | WorkersOptions | undefined
  /** Folder for what uwas keeps between starts: stored static files, embedded data. Default `.uwas`. */
  readonly stateDir?: string | undefined
  readonly limits?: Limits | undefined
  /** Who may ask for what, by network and by name and password. Default: everybody for all. */
  readonly access?: readonly AccessRule[] | undefined
  /**
   * Load balancers that may tell by the PROXY protocol, version 1 or 2, whose connection they hand on: networks, addresses,
   * `loopback` or `private`. Of others such a header is an error. Default: nobody.
   */
  readonly proxyProtocol?: readonly string[] | undefined
  /** Proxies in front that are believed about the client (`req.client`). Default: none. */
  readonly trustedProxies?: readonly string[] | TrustedProxiesOptions | undefined
  /**
   * Hosts that the site answers for, without ports: `example.org`, `*.example.org` for all below it. A request for
   * another is refused as `unknownHosts` says. `uwas dev` answers for this machine's own names too. Default: any.
   */
  readonly allowedHosts?: readonly string[] | undefined
  /**
   * What a request for a host that is none of `allowedHosts` gets, in clear, by TLS and by HTTP/2, for files and cached pages
   * too: 421 (RFC 9110 section 15.5.20), 404, or `'close'`, the end of its connection without an answer (by HTTP/2 of its
   * stream alone: others on the connection may be for this site). Behind `trustedProxies` a connection is not the client's,
   * so there it is a status. Default 421.
   */
  readonly unknownHosts?: 421 | 404 | 'close' | undefined
  /**
   * Paths that tell load balancers how the site is; false for none. A file or a route of the site at such a path answers
   * instead. Default: on where the site has `urls`.
   */
  readonly health?: HealthOptions | false | undefined
  /**
   * A listener of its own for metrics (`/metrics`), health, and a status page. `uwas dev` and the test client open none.
   * Default: none, and nothing is measured.
   */
  readonly status?: StatusOptions | undefined
  /** Whom replies of views tell where their time went, by the field Server-Timing. Default: nobody. */
  readonly serverTiming?: ServerTimingOptions | undefined
  /**
   * OpenTelemetry traces of requests, sent by OTLP/HTTP; false for none whatever the environment says. Default: where
   * the environment has OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT.
   */
  readonly tracing?: TracingOptions | false | undefined
  /** Paths that have moved; looked at before files and routes. The first match counts. Default none. */
  readonly redirects?: readonly Redirect[] | undefined
  /** Paths that answer with what another path has. The first match counts. Default none. */
  readonly rewrites?: readonly Rewrite[] | undefined
  /** Which other origins may read this site, by path (after rewrites): views and files. Default: none may. */
  readonly cors?: readonly CorsPolicy[] | undefined
  /** Changes to the safety fields of every reply; false for none of them. Default: the whole preset. */
  readonly securityHeaders?: SecurityHeaders | false | undefined
  /** Compression of what views answer; false for none. Default: on, from 1 KiB. */
  readonly compression?: Compression | false | undefined
  /** HTML files for error replies, of the whole site or below a path. Default: templates, or ours. */
  readonly errorPages?: readonly ErrorPageFile[] | undefined
  /** Folder of files that only views send, with `file()`. Default none. */
  readonly privateFiles?: string | undefined
  /** What runs around every view, outermost first. Default none. */
  readonly middleware?: readonly Middleware[] | undefined
  /**
   * What signs and encrypts cookies and URLs, at least 32 bytes each, from the environment. The first one
   * signs, all verify: put a new one in front, and take the old one away when nothing of it is left. Default:
   * none, and signing is an error.
   */
  readonly secrets?: readonly string[] | undefined
  /** Sessions, for `session(req)`; they need `secrets`. Default: the site has none. */
  readonly sessions?: SessionOptions | undefined
  /** Users, for `user(req)` and `logIn`; they need `sessions`. Default: the site has none. */
  readonly accounts?: AccountOptions | undefined
  /**
   * The check of forms (methods other than GET, HEAD and OPTIONS, with a type that a form of another site can have);
   * false for none. Default: by token where the site has sessions, else none.
   */
  readonly csrf?: CsrfOptions | false | undefined
  /** Whether `currentRequest()` works; it costs every promise a little. Default false. */
  readonly requestContext?: boolean | undefined
  /**
   * What becomes of `/posts` where only `/posts/` is a route, or the other way round: GET and HEAD are
   * redirected, or `strict`ly 404. Other methods are never redirected. Default `redirect`.
   */
  readonly trailingSlash?: 'redirect' | 'strict' | undefined
  /**
   * A weak ETag for pages of views from 1 KiB on, and 304 where the client has the page: it saves their bytes, not
   * their making. Not for replies with a validator, a cookie, a nonce or `no-store`, nor for streams. An If-Match is
   * then 412: it never names a weak tag (RFC 9110 section 13.1.1). Default false.
   */
  readonly etags?: boolean | undefined
  /** One line for every answered request: a file, `stdout` or `stderr`, or an object that says more. Default: none. */
  readonly accessLog?: AccessLogConfig | undefined
  /** Record the time of each step of requests, for `recentTraces`. Costs a little. Default false. */
  readonly timings?: boolean | undefined
}

/** `SessionOptions`, complete. */
export interface SiteSessions {
  readonly store: 'postgres' | 'cookie'
  readonly idleSeconds: number
  readonly lifetimeSeconds: number
  readonly maxBytes: number
  readonly cookieName: string
}

/** HTML for the error replies of a status. */
export interface ErrorPageFile {
  readonly status: number
  /** HTML file, relative to the configuration file; read at start. */
  readonly file: string
  /** Path below which it stands; the longest prefix wins. Default `/`. */
  readonly prefix?: string | undefined
}

/** A folder of static files, complete. */
export interface StaticMount {
  readonly dir: string
  readonly prefix: string
  readonly index: readonly string[]
  readonly cleanUrls: boolean
  /** Null: none. */
  readonly spa: string | null
  readonly listing: boolean
  readonly lastModified: boolean
  readonly cacheControl: readonly CacheRule[]
  readonly types: Readonly<Record<string, string>>
}

/** `FilesOptions`, complete. */
export interface SiteFiles {
  readonly maxBytes: number
  readonly maxFileBytes: number
  readonly watch: 'auto' | 'poll' | 'off'
  readonly deployments: number
}

export interface SiteCache {
  readonly maxBytes: number
  /** Null: with several workers. */
  readonly shared: boolean | null
}

/** A complete configuration: paths absolute, defaults filled in. Frozen. */
export interface SiteConfig {
  /** The configuration file; null for a folder served without one. */
  readonly file: string | null
  /** The folder that relative paths started from. */
  readonly root: string
  readonly urls: UrlConf | null
  readonly static: readonly StaticMount[]
  readonly files: SiteFiles
  readonly cache: SiteCache
  readonly templates: string | null
  readonly migrations: string | null
  readonly database: DatabaseConfig | null
  /** Null: all addresses. */
  readonly host: string | null
  readonly port: number
  /** Null: `host` and `port` are all. */
  readonly listen: readonly SiteAddress[] | null
  /** Null: not by TLS. */
  readonly tls: SiteTls | null
  readonly workers: SiteWorkers
  readonly stateDir: string
  readonly limits: SiteLimits
  readonly access: readonly AccessRule[]
  /** Null: nobody. */
  readonly proxyProtocol: readonly string[] | null
  /** Null: nobody is believed. */
  readonly trustedProxies: TrustedProxiesOptions | null
  /** Null: any. */
  readonly allowedHosts: readonly string[] | null
  /** What others get. */
  readonly unknownHosts: 421 | 404 | 'close'
  /** Null: no paths for it. */
  readonly health: SiteHealth | null
  /** Null: no status listener. */
  readonly status: SiteStatus | null
  /** Null: nobody. */
  readonly serverTiming: SiteServerTiming | null
  /** Null: requests are not traced. */
  readonly tracing: SiteTracing | null
  /** Why the environment's wish for traces is not met. */
  readonly notTraced: readonly string[]
  readonly redirects: readonly Redirect[]
  readonly rewrites: readonly Rewrite[]
  readonly cors: readonly CorsPolicy[]
  readonly securityHeaders: SecurityHeaders | false
  /** Null: views' replies are never compressed. */
  readonly compression: CompressionConfig | null
  /** `file` absolute. */
  readonly errorPages: readonly ErrorPageFile[]
  readonly privateFiles: string | null
  readonly middleware: readonly Middleware[]
  readonly secrets: readonly string[]
  /** Null: none. */
  readonly sessions: SiteSessions | null
  /** Null: none. */
  readonly accounts: SiteAccounts | null
  /** Null: forms are not checked. */
  readonly csrf: {
    readonly mode: 'token' | 'fetchMetadata'
    readonly trustedOrigins: readonly string[]
  } | null
  readonly requestContext: boolean
  readonly trailingSlash: 'redirect' | 'strict'
  readonly etags: boolean
  readonly timings: boolean
  /** Null: none. */
  readonly accessLog: SiteAccessLog | null
}
