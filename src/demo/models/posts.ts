/** Notes. The same form sent twice is one note: `submission` is its fingerprint. */
import { pg, statement } from 'uwas'

export const countPosts = statement('count posts', {
  row: { total: pg.int },
  sql: 'select count(*) as total from posts',
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
  },
  sql: `
    select id, author, title, left(body, 240) as excerpt, like_count as "likeCount",
      comment_count as "commentCount", created_at as "createdAt"
    from posts order by id desc limit $1 offset $2`,
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
  },
  sql: `
    select author, title, body, like_count as "likeCount", comment_count as "commentCount",
      created_at as "createdAt"
    from posts where id = $1`,
})

/** Gives the id of the note that is there already when its submission comes again. */
export const insertPost = statement('insert post', {
  params: { submission: pg.uuid, author: pg.text, title: pg.text, body: pg.text },
  row: { id: pg.int },
  sql: `
    insert into posts (submission, author, title, body) values ($1, $2, $3, $4)
    on conflict (submission) do update set submission = excluded.submission
    returning id`,
})

/** Locks a note's row until the end of the transaction, so that its counters fit what they count. */
export const lockPost = statement('lock post', {
  params: { id: pg.int },
  row: { id: pg.int },
  sql: 'select id from posts where id = $1 for update',
})
