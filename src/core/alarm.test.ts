import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alarmAfter } from './alarm.ts'

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('alarms of several lengths go off in the order in which they are due', async () => {
  const rung: string[] = []
  alarmAfter(300, () => rung.push('300'))
  alarmAfter(10, () => rung.push('10'))
  await wait(5)
  alarmAfter(10, () => rung.push('later 10'))
  await wait(350)
  assert.deepEqual(rung, ['10', 'later 10', '300'])
})

test('a cancelled alarm is silent, wherever it stands in its queue', async () => {
  const rung: number[] = []
  const alarms = [1, 2, 3, 4, 5].map((name) => alarmAfter(15, () => rung.push(name)))
  for (const index of [0, 2, 4]) alarms[index]?.cancel()
  alarms[0]?.cancel()
  await wait(40)
  assert.deepEqual(rung, [2, 4])
})

test('a queue that was empty works again', async () => {
  let rung = 0
  alarmAfter(20, () => rung++).cancel()
  await wait(5)
  alarmAfter(20, () => rung++)
  await wait(45)
  assert.equal(rung, 1)
})

test('an alarm may set and cancel others while it goes off', async () => {
  const rung: string[] = []
  let cancelSecond = (): void => {}
  alarmAfter(12, () => {
    rung.push('first')
    cancelSecond()
    alarmAfter(12, () => rung.push('third'))
  })
  const second = alarmAfter(12, () => rung.push('second'))
  cancelSecond = () => second.cancel()
  await wait(60)
  assert.deepEqual(rung, ['first', 'third'])
})

test('more lengths than there are queues are no problem', async () => {
  let rung = 0
  for (let ms = 1; ms <= 400; ms++) alarmAfter(5 + (ms % 300) / 1000, () => rung++)
  await wait(40)
  assert.equal(rung, 400)
})
