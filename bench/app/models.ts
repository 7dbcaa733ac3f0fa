import { pg, statement } from 'uwas'

export const worldById = statement('world by id', {
  params: { id: pg.int },
  row: { id: pg.int, randomNumber: pg.int },
  sql: 'select id, randomnumber as "randomNumber" from world where id = $1',
  repeats: true,
})

export const allFortunes = statement('all fortunes', {
  row: { id: pg.int, message: pg.text },
  sql: 'select id, message from fortune',
})
