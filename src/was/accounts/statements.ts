/**
 * The SQL of accounts, in uwas's own schema. Not entered among the site's statements: `own-database.ts` hands
 * them to the start where the site has accounts.
 */
import type { OwnStep } from '../../model/own-tables.ts'
import { Statement } from '../../model/statement.ts'
import * as pg from '../../model/types.ts'

/** Of a token the hash is kept: who reads the table has none. A session is worth nothing after its user's epoch. */
export const ACCOUNT_STEPS: readonly OwnStep[] = [
  {
    name: 'accounts 1',
    sql: `create table uwas.users (
  id bigint generated always as identity primary key,
  name text not null,
  name_key text not null unique check (name_key <> ''),
  password text,
  epoch bigint not null default 1,
  is_active boolean not null default true,
  created_at timestamptz not null default now()
);
create table uwas.memberships (
  user_id bigint not null references uwas.users on delete cascade,
  group_name text not null,
  primary key (user_id, group_name)
);
create table uwas.tokens (
  id uuid primary key,
  hash bytea not null unique,
  user_id bigint not null references uwas.users on delete cascade,
  name text not null,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz
);
create index tokens_user_id on uwas.tokens (user_id)`,
  },
]

const USER = { id: pg.int, name: pg.text, groups: pg.array(pg.text) }
const GROUPS = `array(
    select group_name from uwas.memberships where user_id = u.id order by group_name
  ) as groups`

export const loadUser = new Statement('uwas user load', {
  params: { id: pg.int, epoch: pg.int },
  row: USER,
  sql: `select u.id, u.name, ${GROUPS} from uwas.users u
  where u.id = $1 and u.epoch = $2 and u.is_active`,
})

export const loadTokenUser = new Statement('uwas user by token', {
  params: { hash: pg.bytea },
  row: { ...USER, scopes: pg.array(pg.text) },
  sql: `select u.id, u.name, t.scopes, ${GROUPS}
  from uwas.tokens t join uwas.users u on u.id = t.user_id
  where t.hash = $1 and u.is_active and (t.expires_at is null or t.expires_at > now())`,
})

export const findAccount = new Statement('uwas account find', {
  params: { key: pg.text },
  row: { ...USER, password: pg.nullable(pg.text), epoch: pg.int, active: pg.bool },
  sql: `select u.id, u.name, u.password, u.epoch, u.is_active as active, ${GROUPS}
  from uwas.users u where u.name_key = $1`,
})

export const accountById = new Statement('uwas account by id', {
  params: { id: pg.int },
  row: { ...USER, password: pg.nullable(pg.text), epoch: pg.int },
  sql: `select u.id, u.name, u.password, u.epoch, ${GROUPS}
  from uwas.users u where u.id = $1 and u.is_active`,
})

/** No row where the name is taken: two who sign up at once meet here. */
export const createAccount = new Statement('uwas account create', {
  params: {
    name: pg.text,
    key: pg.text,
    password: pg.nullable(pg.text),
    groups: pg.array(pg.text),
  },
  row: { id: pg.int, epoch: pg.int },
  sql: `with added as (
    insert into uwas.users (name, name_key, password) values ($1, $2, $3)
    on conflict (name_key) do nothing returning id, epoch
  ), joined as (
    insert into uwas.memberships (user_id, group_name)
    select added.id, joining.name from added, unnest($4::text[]) as joining (name)
  )
  select id, epoch from added`,
})

/** Only where it is still the one that was checked. */
export const upgradePassword = new Statement('uwas password upgrade', {
  params: { id: pg.int, password: pg.text, before: pg.text },
  sql: 'update uwas.users set password = $2 where id = $1 and password = $3',
})

/** Every session of the user is worth nothing afterwards. */
export const changePasswordRow = new Statement('uwas password change', {
  params: { id: pg.int, password: pg.text },
  row: { epoch: pg.int },
  sql: 'update uwas.users set password = $2, epoch = epoch + 1 where id = $1 returning epoch',
})

export const endEpoch = new Statement('uwas user epoch', {
  params: { id: pg.int },
  row: { epoch: pg.int },
  sql: 'update uwas.users set epoch = epoch + 1 where id = $1 returning epoch',
})

export const setActive = new Statement('uwas user active', {
  params: { id: pg.int, active: pg.bool },
  sql: 'update uwas.users set is_active = $2, epoch = epoch + 1 where id = $1',
})

export const joinGroup = new Statement('uwas group join', {
  params: { id: pg.int, group: pg.text },
  sql: `insert into uwas.memberships (user_id, group_name) values ($1, $2)
  on conflict do nothing`,
})

export const leaveGroup = new Statement('uwas group leave', {
  params: { id: pg.int, group: pg.text },
  sql: 'delete from uwas.memberships where user_id = $1 and group_name = $2',
})

export const createTokenRow = new Statement('uwas token create', {
  params: {
    id: pg.uuid,
    hash: pg.bytea,
    userId: pg.int,
    name: pg.text,
    scopes: pg.array(pg.text),
    expiresAt: pg.nullable(pg.timestamptz),
  },
  sql: `insert into uwas.tokens (id, hash, user_id, name, scopes, expires_at)
  values ($1, $2, $3, $4, $5, $6)`,
})

export const listTokens = new Statement('uwas token list', {
  params: { userId: pg.int },
  row: {
    id: pg.uuid,
    name: pg.text,
    scopes: pg.array(pg.text),
    createdAt: pg.timestamptz,
    expiresAt: pg.nullable(pg.timestamptz),
  },
  sql: `select id, name, scopes, created_at as "createdAt", expires_at as "expiresAt"
  from uwas.tokens where user_id = $1 order by created_at desc, id limit 1000`,
})

export const removeToken = new Statement('uwas token remove', {
  params: { userId: pg.int, id: pg.uuid },
  sql: 'delete from uwas.tokens where user_id = $1 and id = $2',
})

export const ACCOUNT_STATEMENTS: readonly Statement[] = [
  loadUser,
  loadTokenUser,
  findAccount,
  accountById,
  createAccount,
  upgradePassword,
  changePasswordRow,
  endEpoch,
  setActive,
  joinGroup,
  leaveGroup,
  createTokenRow,
  listTokens,
  removeToken,
] as unknown as readonly Statement[]
