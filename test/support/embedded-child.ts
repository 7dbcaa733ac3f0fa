/** A uwas process to be killed: starts the embedded PostgreSQL in argv[2], or inherits it where argv[3] says so, says its pid, and stays. */
import { once } from 'node:events'
import { createLog } from '../../src/core/log.ts'
import { startEmbeddedPostgres } from '../../src/model/embedded.ts'

const dir = process.argv[2] ?? ''
const inherits = process.argv[3] === 'inherits'
const server = await startEmbeddedPostgres({ dir, log: createLog(), unsafeFast: true, inherits })
process.stdout.write(`${JSON.stringify({ pid: server.pid, shared: server.shared })}\n`)
await once(process.stdin, 'data')
await server.stop()
process.exit(0)
