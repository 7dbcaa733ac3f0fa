/** The timings of a file, or of a page that was sent like one. Called by the native lane where they are recorded. */
import { Trace } from '../core/trace.ts'
import type { FileEntry } from '../files/entry.ts'
import type { TraceLog } from '../observe/trace-log.ts'

interface SentFile {
  readonly method: string
  readonly path: string
  readonly status: number
  /** Of `performance.now()`, as are those below. */
  readonly startedAt: number
  readonly found: number
  readonly decided: number
}

export function recordFile(traces: TraceLog, entry: FileEntry, sent: SentFile): void {
  const trace = new Trace(sent.startedAt)
  trace.add('server', sent.startedAt, '', sent.found)
  trace.add('files', sent.found, entry.etag, sent.decided)
  trace.add('reply', sent.decided)
  const lane = entry.route === '' ? 'static' : 'page'
  traces.record(lane, sent.method, sent.path, sent.status, trace)
}
