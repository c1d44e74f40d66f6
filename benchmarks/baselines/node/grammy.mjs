// grammY + Fastify + ioredis. The answer to a tap is in the webhook's reply.
import Fastify from 'fastify'
import { Bot, webhookCallback } from 'grammy'
import { apiBase, hook, pick, port, secret, token } from './pick.mjs'

const bot = new Bot(token, {
  client: { apiRoot: apiBase, canUseWebhookReply: (method) => method === 'answerCallbackQuery' || method === 'sendMessage' },
})
bot.callbackQuery(/^p:/, async (ctx) => {
  await ctx.answerCallbackQuery(await pick(ctx.callbackQuery.data, ctx.from.id, ctx.callbackQuery.id))
})
bot.command('start', (ctx) => ctx.reply('Hello.'))

const server = Fastify()
server.post(hook, webhookCallback(bot, 'fastify', { secretToken: secret }))
await server.listen({ port, host: '127.0.0.1', backlog: 2048 })
