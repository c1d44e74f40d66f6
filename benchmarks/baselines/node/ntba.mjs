// node-telegram-bot-api + Express + ioredis. This library can't answer in the webhook's reply: it calls the Bot API.
import express from 'express'
import TelegramBot from 'node-telegram-bot-api'
import { apiBase, hook, pick, port, secret, token } from './pick.mjs'

const bot = new TelegramBot(token, { baseApiUrl: apiBase })
const answered = new Map()

bot.on('callback_query', async (query) => {
  const text = await pick(query.data, query.from.id, query.id)
  await bot.answerCallbackQuery(query.id, { text })
  answered.get(query.id)?.(text)
})
bot.onText(/^\/start/, async (message) => {
  await bot.sendMessage(message.chat.id, 'Hello.')
  answered.get(message.message_id)?.('')
})

const app = express()
app.use(express.json())
app.post(hook, (request, response) => {
  if (request.get('X-Telegram-Bot-Api-Secret-Token') !== secret) return response.sendStatus(401)
  const update = request.body
  const id = update.callback_query?.id ?? update.message.message_id
  // The reply is sent after the commit and has the toast, so that the load generator can count commits.
  answered.set(id, (text) => {
    answered.delete(id)
    response.json({ text })
  })
  bot.processUpdate(update)
})
app.listen(port, '127.0.0.1', 2048)
