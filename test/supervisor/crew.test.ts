/** Workers that the system does not even start. */
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { TicketKeys } from '../../src/server/tls/ticket-keys.ts'
import { ConnectionRows } from '../../src/supervisor/connection-rows.ts'
import { Crew } from '../../src/supervisor/crew.ts'
import type { WorkerCommand } from '../../src/supervisor/worker-process.ts'
import { DEFAULT_WORKERS } from '../../src/was/worker-limits.ts'
import { eventually } from '../support/supervised.ts'

t.test('a process that cannot be made is a line in the log, and is tried again', async (t) => {
  const lines: string[] = []
  const tries: WorkerCommand[] = [
    // spawn() throws for this, as it does where there is no memory for a process.
    { file: '', args: [], version: '1', user: undefined },
    { file: process.execPath, args: ['-e', 'process.exit(3)'], version: '1', user: undefined },
  ]
  const crew = new Crew({
    get command() {
      return tries.length > 1 ? (tries.shift() as WorkerCommand) : (tries[0] as WorkerCommand)
    },
    rows: new ConnectionRows(null, null),
    log: createLog((line) => lines.push(line)),
    begin: () => ({
      workers: 1,
      databaseUrl: null,
      tlsPort: null,
      ticketSeed: new TicketKeys().seed(),
      listens: null,
    }),
    limits: () => DEFAULT_WORKERS,
    sockets: () => [],
  })
  crew.fill(1)
  await eventually('the next one has ended', () => lines.length > 1)
  crew.kill()
  t.match(lines[0], "error: The argument 'file' cannot be empty")
  t.match(lines[1], 'it ended with exit code 3 before it was ready')
  await crew.ended()
})
