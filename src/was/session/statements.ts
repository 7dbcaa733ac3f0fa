/**
 * The SQL of sessions in PostgreSQL. Times are the database's own, so that servers agree on them. Not entered among
 * the site's statements: `own-statements.ts` hands them to the start where the site has such sessions.
 */
import type { OwnStep } from '../../model/own-tables.ts'
import { Statement } from '../../model/statement.ts'
import * as pg from '../../model/types.ts'

/** The token is hashed: who reads the table has no session. JSON text, since jsonb refuses some texts. */
export const SESSION_STEPS: readonly OwnStep[] = [
  {
    name: 'sessions 1',
    sql: `create table uwas.sessions (
  id uuid primary key,
  token bytea not null unique,
  user_id text,
  data json not null,
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);
create index sessions_user_id on uwas.sessions (user_id) where user_id is not null;
create index sessions_seen_at on uwas.sessions (seen_at)`,
  },
]

const life = { token: pg.bytea, idle: pg.float, lifetime: pg.float }
const IS_ALIVE = `seen_at > now() - make_interval(secs => $2)
    and created_at > now() - make_interval(secs => $3)`

export const loadSession = new Statement('uwas session load', {
  params: { ...life, stale: pg.float },
  row: {
    id: pg.uuid,
    user_id: pg.nullable(pg.text),
    data: pg.json<Record<string, unknown>>(),
    version: pg.int,
    created_at: pg.timestamptz,
    is_stale: pg.bool,
  },
  sql: `select id, user_id, data, version, created_at,
    seen_at <= now() - make_interval(secs => $4) as is_stale
  from uwas.sessions
  where token = $1 and ${IS_ALIVE}`,
})

export const createSession = new Statement('uwas session create', {
  params: { id: pg.uuid, token: pg.bytea, user_id: pg.nullable(pg.text), data: pg.json() },
  sql: 'insert into uwas.sessions (id, token, user_id, data) values ($1, $2, $3, $4)',
})

/** Only of the version that was read: else nothing is changed, and the caller looks again. */
export const changeSession = new Statement('uwas session change', {
  params: {
    token: pg.bytea,
    version: pg.int,
    new_token: pg.bytea,
    user_id: pg.nullable(pg.text),
    data: pg.json(),
    has_signed_in: pg.bool,
  },
  sql: `update uwas.sessions set
    token = $3, user_id = $4, data = $5, version = version + 1, seen_at = now(),
    created_at = case when $6 then now() else created_at end
  where token = $1 and version = $2`,
})

export const reloadSession = new Statement('uwas session reload', {
  params: { token: pg.bytea },
  row: { data: pg.json<Record<string, unknown>>(), version: pg.int },
  sql: 'select data, version from uwas.sessions where token = $1',
})

export const touchSession = new Statement('uwas session touch', {
  params: { token: pg.bytea },
  sql: 'update uwas.sessions set seen_at = now() where token = $1',
})

export const removeSession = new Statement('uwas session remove', {
  params: { token: pg.bytea },
  sql: 'delete from uwas.sessions where token = $1',
})

/** The oldest first, without waiting for another server that does the same. */
export const removeExpired = new Statement('uwas session expire', {
  params: { idle: pg.float, count: pg.int },
  sql: `delete from uwas.sessions where id in (
    select id from uwas.sessions where seen_at <= now() - make_interval(secs => $1)
    order by seen_at limit $2 for update skip locked
  )`,
})

export const listSessions = new Statement('uwas session list', {
  params: { user_id: pg.text, idle: pg.float, lifetime: pg.float },
  row: { id: pg.uuid, created_at: pg.timestamptz, seen_at: pg.timestamptz },
  sql: `select id, created_at, seen_at from uwas.sessions
  where user_id = $1 and ${IS_ALIVE}
  order by seen_at desc, id limit 1000`,
})

export const revokeSessionById = new Statement('uwas session revoke', {
  params: { user_id: pg.text, id: pg.uuid },
  sql: 'delete from uwas.sessions where user_id = $1 and id = $2',
})

export const revokeAllSessions = new Statement('uwas session revoke all', {
  params: { user_id: pg.text, except: pg.nullable(pg.uuid) },
  sql: 'delete from uwas.sessions where user_id = $1 and id is distinct from $2',
})

export const SESSION_STATEMENTS: readonly Statement[] = [
  loadSession,
  createSession,
  changeSession,
  reloadSession,
  touchSession,
  removeSession,
  removeExpired,
  listSessions,
  revokeSessionById,
  revokeAllSessions,
] as unknown as readonly Statement[]
