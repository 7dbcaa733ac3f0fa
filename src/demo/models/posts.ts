/** Notes. The same form sent twice is one note: `submission` is its fingerprint. */
import { pg, statement, type User } from 'uwas'

export const countPosts = statement('count posts', {
  row: { total: pg.int },
  sql: 'select count(*) as total from posts where hidden_at is null',
})

export const newestPosts = statement('newest posts', {
  params: { limit: pg.int, offset: pg.int },
  row: {
    id: pg.int,
    author: pg.text,
    title: pg.text,
    excerpt: pg.text,
    likeCount: pg.int,
    commentCount: pg.int,
    createdAt: pg.timestamptz,
    ownerId: pg.nullable(pg.int),
  },
  sql: `
    select id, author, title, left(body, 240) as excerpt, like_count as "likeCount",
      comment_count as "commentCount", created_at as "createdAt", owner_id as "ownerId"
    from posts where hidden_at is null order by id desc limit $1 offset $2`,
})

export const postById = statement('post by id', {
  params: { id: pg.int },
  row: {
    author: pg.text,
    title: pg.text,
    body: pg.text,
    likeCount: pg.int,
    commentCount: pg.int,
    createdAt: pg.timestamptz,
    ownerId: pg.nullable(pg.int),
    hidden: pg.bool,
  },
  sql: `
    select author, title, body, like_count as "likeCount", comment_count as "commentCount",
      created_at as "createdAt", owner_id as "ownerId", hidden_at is not null as hidden
    from posts where id = $1`,
})

/** Gives the id of the note that is there already when its submission comes again. */
export const insertPost = statement('insert post', {
  params: {
    submission: pg.uuid,
    author: pg.text,
    title: pg.text,
    body: pg.text,
    ownerId: pg.nullable(pg.int),
  },
  row: { id: pg.int },
  sql: `
    insert into posts (submission, author, title, body, owner_id) values ($1, $2, $3, $4, $5)
    on conflict (submission) do update set submission = excluded.submission
    returning id`,
})

/** Only by its owner: the condition holds whatever the view has looked at before. */
export const changePost = statement('change post', {
  params: { id: pg.int, ownerId: pg.int, title: pg.text, body: pg.text },
  sql: 'update posts set title = $3, body = $4 where id = $1 and owner_id = $2',
})

export const hidePost = statement('hide post', {
  params: { id: pg.int, hidden: pg.bool },
  sql: 'update posts set hidden_at = case when $2 then coalesce(hidden_at, now()) end where id = $1',
})

/** Who wrote it may change it; what was written without an account belongs to nobody. */
export function mayEdit(
  user: User | undefined,
  post: { readonly ownerId: number | null },
): boolean {
  return user !== undefined && post.ownerId === user.id
}

/** Locks a note's row until the end of the transaction, so that its counters fit what they count. */
export const lockPost = statement('lock post', {
  params: { id: pg.int },
  row: { id: pg.int },
  sql: 'select id from posts where id = $1 for update',
})
