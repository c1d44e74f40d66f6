// Code shared by the Node.js baselines: the pick as one Lua call, and the toast.
import { readFileSync } from 'node:fs'
import Redis from 'ioredis'

const LUA = readFileSync(new URL('./pick.lua', import.meta.url), 'utf8')
const [path, database] = process.argv[3].split('?db=')

export const port = Number(process.argv[2])
export const apiBase = process.argv[4]
export const token = process.argv[5]
export const secret = process.argv[6]
export const hook = process.argv[7]

const redis = new Redis({ path, db: Number(database || 0) })
redis.defineCommand('pick', { numberOfKeys: 5, lua: LUA })

export async function pick(data, playerId, queryId) {
  const [, game, number] = data.split(':')
  const key = `base:${game}`
  const updateId = BigInt(queryId) / 4096n
  const outcome = await redis.pick(
    key, `${key}:players`, `${key}:owners`, `${key}:picks`, 'base:feed', playerId, number, `${updateId}`, game,
  )
  return outcome === 'done' ? `You have ${number}.` : `No: ${outcome}.`
}
