import { pg, statement } from 'uwas'

export const worldById = statement('world by id', {
  params: { id: pg.int },
  row: { id: pg.int, randomNumber: pg.int },
  sql: 'select id, randomnumber as "randomNumber" from world where id = $1',
  repeats: true,
})

export const updateWorlds = statement('update worlds', {
  params: { ids: pg.array(pg.int), numbers: pg.array(pg.int) },
  sql: `
    update world set randomnumber = sent.number
    from unnest($1::int[], $2::int[]) as sent (id, number) where world.id = sent.id`,
})

export const allFortunes = statement('all fortunes', {
  row: { id: pg.int, message: pg.text },
  sql: 'select id, message from fortune',
})

export const newestArticles = statement('newest articles', {
  row: { id: pg.int, authorId: pg.int, title: pg.text, summary: pg.text },
  sql: 'select id, author_id as "authorId", title, summary from article order by id desc limit 20',
})

export const authorsByIds = statement('authors by ids', {
  params: { ids: pg.array(pg.int) },
  row: { id: pg.int, name: pg.text },
  sql: 'select id, name from author where id = any ($1)',
})
