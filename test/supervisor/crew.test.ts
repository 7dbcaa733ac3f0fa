/** Workers that the system does not even start. */
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { TicketKeys } from '../../src/server/tls/ticket-keys.ts'
import { ConnectionRows } from '../../src/supervisor/connection-rows.ts'
import { Crew } from '../../src/supervisor/crew.ts'
import type { WorkerCommand } from '../../src/supervisor/worker-process.ts'
import { DEFAULT_WORKERS } from '../../src/was/worker-limits.ts'
import { eventually } from '../support/supervised.ts'

function crewOf(commands: WorkerCommand[], lines: string[], rows = new ConnectionRows(null, null)) {
  return new Crew({
    get command() {
      return commands.length > 1
        ? (commands.shift() as WorkerCommand)
        : (commands[0] as WorkerCommand)
    },
    rows,
    log: createLog((line) => lines.push(line)),
    begin: () => ({
      workers: 1,
      databaseUrl: null,
      postgresDir: null,
      tlsPort: null,
      ticketSeed: new TicketKeys().seed(),
      listens: null,
    }),
    limits: () => DEFAULT_WORKERS,
    sockets: () => [],
  })
}

t.test('a process that cannot be made is a line in the log, and is tried again', async (t) => {
  const lines: string[] = []
  const tries: WorkerCommand[] = [
    // spawn() throws for this, as it does where there is no memory for a process.
    { file: '', args: [], version: '1', user: undefined },
    { file: process.execPath, args: ['-e', 'process.exit(3)'], version: '1', user: undefined },
  ]
  const crew = crewOf(tries, lines)
  crew.fill(1)
  await eventually('the next one has ended', () => lines.length > 1)
  crew.kill()
  t.match(lines[0], "error: The argument 'file' cannot be empty")
  t.match(lines[1], 'it ended with exit code 3 before it was ready')
  await crew.ended()
})

t.test('a process that has ended before its start keeps no place among the counts', async (t) => {
  const code = "process.send({ type: 'settings', settings: {} }, () => process.exit(3))"
  const command = { file: process.execPath, args: ['-e', code], version: '1', user: undefined }
  // Any descriptor: nothing is written to it without what counts.
  const rows = new ConnectionRows(null, 1)
  const crew = crewOf([command], [], rows)
  const worker = crew.spawn(0)
  await worker.settings
  await worker.ended
  await t.rejects(crew.bringUp(worker), { code: 'UWAS_ERR_SUPERVISOR_WORKER' })
  t.equal(rows.take(), 0, 'the first place is free')
})
