/** The statements of the views, as `pg` and Bun want them; in `postgres.mjs` they stand once more, as its templates. */

export const SQL = {
  world: 'select id, randomnumber as "randomNumber" from world where id = $1',
  update: `update world set randomnumber = sent.number
    from unnest($1::int[], $2::int[]) as sent (id, number) where world.id = sent.id`,
  fortunes: 'select id, message from fortune',
  articles:
    'select id, author_id as "authorId", title, summary from article order by id desc limit 20',
  authors: 'select id, name from author where id = any ($1::int[])',
}
