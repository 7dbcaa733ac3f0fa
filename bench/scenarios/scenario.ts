/** What a scenario is: data about requests and about the answers that every rival has to give. */
import type { Answer } from '../method/ask.ts'
import type { CountedTable } from '../method/database.ts'

export interface StatementCount {
  readonly table: CountedTable
  /** An answer. */
  readonly times: number
}

export interface Edge {
  readonly path: string
  /** Throws when the answer is wrong. */
  check(answer: Answer): void
}

/** What answers come from, where that is code and no file. */
export interface ViewChecks {
  /** Throws when the answer is wrong. */
  check(answer: Answer): void
  /** Statements that each answer needs; none may be saved, whatever else is asked at the same time. */
  readonly reads?: StatementCount
  /** Rows that each answer changes. */
  readonly writes?: StatementCount
  /** SQL whose first cell is `t` when the database holds what the answer says. */
  stored?(answer: Answer): string
  /** Other paths of the same view, each asked once before the timing. */
  readonly edges?: readonly Edge[]
}

/** Request paths start with a slash; the file asked for is the path below the served folder. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** Files to write into the served folder: relative path and content, in the order to write them. */
  files(): Iterable<readonly [path: string, content: Buffer]>
  /** Paths of the requests in turn; after the last one comes the first again. */
  readonly paths: readonly string[]
  /** The answers are made by views: other rivals, and a database. */
  readonly view?: ViewChecks
  /** Request fields beside Host. */
  readonly headers?: Readonly<Record<string, string>>
  /** Requests carry If-None-Match with the rival's own ETag; the answer is 304. */
  readonly revalidates?: true
  /** Requests accept gzip; the answer is the file's `.gz` sibling. */
  readonly gzip?: true
  /** Requests sent at once on a connection. */
  readonly pipelined?: number
  /** Each request comes on a connection of its own, with `Connection: close`. */
  readonly closes?: true
  /** What logs and metrics cost: servers with and without them. */
  readonly observed?: true
  /** Over TLS, by HTTP/1.1: servers that offer HTTP/2 as well, and such that do not. */
  readonly secure?: true
  /** Bytes a second are the measure, beside CPU: large bodies. */
  readonly throughput?: true
  /** Connections of the load generator. */
  readonly connections: number
}

/** What each request of the scenario carries, but If-None-Match. */
export function requestHeaders(scenario: Scenario): Record<string, string> {
  return {
    ...scenario.headers,
    ...(scenario.gzip && { 'Accept-Encoding': 'gzip' }),
    ...(scenario.closes && { Connection: 'close' }),
  }
}

/** The file whose bytes answer `path`, below the served folder. */
export function answeringFile(scenario: Scenario, path: string): string {
  return scenario.gzip ? `${path.slice(1)}.gz` : path.slice(1)
}
