/**
 * A database that is there for a while, beside the site's own: for what must not touch that, or happens many times
 * at once. Made by the test client and `uwas check`. What a killed process has left goes when the next one is made.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createError } from '../core/errors.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { isConnectionFailure, problemOf, sqlStateOf } from './failures.ts'
import { quoteName } from './table/columns.ts'

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

const WHAT = 'a scratch database'
const CLOSE_MS = 1000
/** A lock that was lost with its session is taken again so soon. */
const AGAIN_MS = 100

/** On the server of `beside`, as its role. Rejects with UWAS_ERR_MODEL_SCRATCH, _UNAVAILABLE, _SESSION. */
export async function createScratch(beside: Database): Promise<Scratch> {
  const keeper = new Keeper(beside)
  const connection = await keeper.connect()
  try {
    const prefix = await prefixOf(connection)
    await sweep(connection, prefix)
    const name = `${prefix}${randomBytes(8).toString('hex')}`
    await keeper.keep(name)
    await connection.simple(await creation(connection, name))
    const database = beside.beside(name)
    return {
      database,
      async drop() {
        try {
          await database.close()
          await keeper.drop(name)
        } finally {
          await keeper.close()
        }
      },
    }
  } catch (error) {
    await keeper.close()
    if (isConnectionFailure(error)) throw error
    const problem = `${problemOf(error)} (SQLSTATE ${sqlStateOf(error)})`
    throw createError('UWAS_ERR_MODEL_SCRATCH', { where: beside.where, problem }, error)
  }
}

/** The session that holds the lock. When it is lost another one takes it. */
class Keeper {
  readonly #beside: Database
  #connection: Connection | null
  #name: string | null
  #timer: NodeJS.Timeout | undefined
  #isClosed: boolean

  constructor(beside: Database) {
    this.#beside = beside
    this.#connection = null
    this.#name = null
    this.#timer = undefined
    this.#isClosed = false
  }

  async connect(): Promise<Connection> {
    const connection = await this.#beside.openSession(WHAT, {
      onEnd: () => this.#again(),
    })
    this.#connection = connection
    if (this.#name !== null) await connection.run(LOCK, [LOCK_CLASS, this.#name])
    return connection
  }

  async keep(name: string): Promise<void> {
    this.#name = name
    await this.#connection?.run(LOCK, [LOCK_CLASS, name])
  }

  /** Whoever uses it still. */
  async drop(name: string): Promise<void> {
    const text = `drop database if exists ${quoteName(name)} with (force)`
    try {
      if (this.#connection?.alive === true) return void (await this.#connection.simple(text))
    } catch (error) {
      if (!isConnectionFailure(error)) throw error
    }
    const another = await this.#beside.openSession(WHAT)
    try {
      await another.simple(text)
    } finally {
      await another.close(CLOSE_MS)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#connection?.close(CLOSE_MS)
  }

  #again(): void {
    if (this.#isClosed || this.#name === null) return
    clearTimeout(this.#timer)
    const work = () => void this.#reconnect()
    this.#timer = setTimeout(work, AGAIN_MS).unref()
  }

  async #reconnect(): Promise<void> {
    try {
      const connection = await this.connect()
      if (this.#isClosed) await connection.close(CLOSE_MS)
    } catch {
      this.#again()
    }
  }
}

/** Names are bytes, 63 at most: the other database's is hashed. */
async function prefixOf(connection: Connection): Promise<string> {
  const { rows } = await connection.run('select current_database()::text', [])
  const hash = createHash('sha256').update(String(rows[0]?.[0]))
  return `uwas_scratch_${hash.digest('hex').slice(0, 12)}_`
}

/**
 * One whose lock is free and that nobody is connected to has nobody any more. Another role's, and one that is taken
 * just now, is left alone: here nobody is thrown out.
 */
async function sweep(connection: Connection, prefix: string): Promise<void> {
  const { rows } = await connection.run(LEFT, [`^${prefix}[0-9a-f]{16}$`])
  for (const [found] of rows) {
    const name = String(found)
    const { rows: locked } = await connection.run(TRY_LOCK, [LOCK_CLASS, name])
    if (locked[0]?.[0] !== 't') continue
    await connection.simple(`drop database if exists ${quoteName(name)}`).catch(() => {})
    await connection.run(UNLOCK, [LOCK_CLASS, name])
  }
}

const LEFT = `select datname from pg_database as found where datname::text ~ $1
  and not exists (select from pg_stat_activity where datid = found.oid)`

/** From `template0`, which nobody is connected to and nobody has changed. */
async function creation(connection: Connection, name: string): Promise<string> {
  const { rows } = await connection.run(
    `select format('encoding %L lc_collate %L lc_ctype %L', pg_encoding_to_char(encoding), datcollate, datctype)
      from pg_database where datname = current_database()`,
    [],
  )
  return `create database ${name} template template0 ${rows[0]?.[0]}`
}
