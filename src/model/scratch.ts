/**
 * A database that is there for a while, beside the site's own: for what must not touch that, or happens many times
 * at once. Made by the test client and `uwas check`. What a killed process has left goes when the next one is made.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createError } from '../core/errors.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { isConnectionFailure, problemOf, sqlStateOf } from './failures.ts'

/** Empty, with the encoding and locale of the database that it stands beside. */
export interface Scratch {
  readonly database: Database
  /** Closes and drops it, whoever uses it still. */
  drop(): Promise<void>
}

/**
 * Who makes one holds a lock of its name until it is dropped; PostgreSQL lets go of it when the process dies. Locks
 * belong to the database that they are taken in, so its name is part of theirs.
 */
const LOCK = 'select pg_advisory_lock(hashtext($1), hashtext($2))'
const TRY_LOCK = 'select pg_try_advisory_lock(hashtext($1), hashtext($2))'
const UNLOCK = 'select pg_advisory_unlock(hashtext($1), hashtext($2))'
const LOCK_CLASS = 'uwas scratch database'

/** On the server of `beside`, as its role. Rejects with UWAS_ERR_MODEL_SCRATCH, _UNAVAILABLE, _SESSION. */
export async function createScratch(beside: Database): Promise<Scratch> {
  const connection = await beside.openSession('a scratch database')
  const drop = (name: string) =>
    connection.simple(`drop database if exists ${name} with (force)`).then(() => {})
  try {
    const prefix = await prefixOf(connection)
    await sweep(connection, prefix, drop)
    const name = `${prefix}${randomBytes(8).toString('hex')}`
    await connection.run(LOCK, [LOCK_CLASS, name])
    await connection.simple(await creation(connection, name))
    const database = beside.beside(name)
    return {
      database,
      async drop() {
        try {
          await database.close()
          await drop(name)
        } finally {
          await connection.close(1000)
        }
      },
    }
  } catch (error) {
    await connection.close(1000)
    if (isConnectionFailure(error)) throw error
    const problem = `${problemOf(error)} (SQLSTATE ${sqlStateOf(error)})`
    throw createError('UWAS_ERR_MODEL_SCRATCH', { where: beside.where, problem }, error)
  }
}

/** Names are bytes, 63 at most: the other database's is hashed. */
async function prefixOf(connection: Connection): Promise<string> {
  const { rows } = await connection.run('select current_database()::text', [])
  const hash = createHash('sha256').update(String(rows[0]?.[0]))
  return `uwas_scratch_${hash.digest('hex').slice(0, 12)}_`
}

/** One whose lock is free has nobody any more. Another role's, or one that is taken just now, is left alone. */
async function sweep(
  connection: Connection,
  prefix: string,
  drop: (name: string) => Promise<void>,
): Promise<void> {
  const text = 'select datname from pg_database where starts_with(datname::text, $1)'
  const { rows } = await connection.run(text, [prefix])
  for (const [found] of rows) {
    const name = String(found)
    const { rows: locked } = await connection.run(TRY_LOCK, [LOCK_CLASS, name])
    if (locked[0]?.[0] !== 't') continue
    await drop(name).catch(() => {})
    await connection.run(UNLOCK, [LOCK_CLASS, name])
  }
}

/** From `template0`, which nobody is connected to and nobody has changed. */
async function creation(connection: Connection, name: string): Promise<string> {
  const { rows } = await connection.run(
    `select format('encoding %L lc_collate %L lc_ctype %L', pg_encoding_to_char(encoding), datcollate, datctype)
      from pg_database where datname = current_database()`,
    [],
  )
  return `create database ${name} template template0 ${rows[0]?.[0]}`
}
