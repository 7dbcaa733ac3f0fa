import t from 'tap'
import { doubtsOf, listOf, readCores, readList, usualCores } from '../../bench/method/cores.ts'

const ALL = [0, 1, 2, 3, 4, 5, 6, 7]
/** Two names for each core: 0 and 4, 1 and 5, … */
const halves = (core: number): readonly number[] => [core % 4, (core % 4) + 4]
/** As some machines count them: 0 and 1, 2 and 3, … */
const pairs = (core: number): readonly number[] => [core - (core % 2), core - (core % 2) + 1]
const apart = (core: number): readonly number[] => [core]

t.test('lists are read and written as taskset and the kernel have them', async (t) => {
  t.same(readList('0-3,8'), [0, 1, 2, 3, 8])
  t.same(readList('5'), [5])
  t.equal(listOf([0, 2, 3]), '0,2,3')
})

t.test('the load is on another core than the server, and not on its other half', async (t) => {
  t.same(usualCores(apart, [0, 1]), { serve: [0], load: [1] })
  t.same(usualCores(halves, ALL), { serve: [0], load: [1] })
  t.same(usualCores(pairs, ALL), { serve: [0], load: [2] })
  t.same(usualCores(pairs, [2, 3]), { serve: [2], load: [3] }, 'where there is no other')
  t.same(usualCores(apart, [3]), { serve: [3], load: [3] })
})

t.test('halves of one core are told, since each slows the other', async (t) => {
  t.same(doubtsOf({ serve: [0], load: [2] }, pairs), [])
  t.match(doubtsOf({ serve: [0], load: [1] }, pairs), [/^core 1 of the load is a half of a core/])
  t.match(doubtsOf({ serve: [0, 1], load: [4, 5] }, halves), [/^core 4,5 of the load are halves/])
})

t.test('a list that names no cores of this machine is refused with its reason', async (t) => {
  t.same(readCores('cores', '0-1,3,1', ALL), [0, 1, 3])
  const refused: [string, RegExp][] = [
    ['', /--cores is "": it has to be a list of cores like 0-3,8/],
    ['all', /it has to be a list/],
    ['1,', /it has to be a list/],
    ['-1', /it has to be a list/],
    ['0-9', /there is no core 8; there are 0,1,2,3,4,5,6,7/],
    ['3-1', /it names none/],
    ['99999999999', /it has to be a list/],
  ]
  for (const [text, message] of refused) {
    t.throws(() => readCores('cores', text, ALL), { message }, text)
  }
})
