### Lo común a todos los juegos: tableros, botones y respuestas a los toques.
### Un aviso (tap-…, button-…) tiene como mucho 200 caracteres y nada de formato; lo demás son mensajes en HTML.

## Listas y tiempos

list-more = { $list } y { $more } más
duration-hours = { $count } h
duration-minutes = { $count } min
duration-seconds = { $count } s

## El mensaje vivo

board-title = { $sign } <b>{ $title }</b>
board-results = 🏆 <b>{ $title }</b>: resultados
picture-number = n.º { $number }
board-over = 🏁 La partida ha terminado. El resultado está más abajo. 👇
board-called-off = 🚫 Cancelada. Los detalles, en el mensaje de abajo. 👇
board-prize = 💰 Premio: <b>{ $pool }</b>
board-prizes = 💰 Premios, <b>{ $pool }</b> en total: { $shares }
board-prize-each = 🎁 Premio para cada una de las { $winners } personas que ganen: <b>{ $pool }</b>
board-prizes-words = 🎁 Premios: { $prizes }
board-prize-place = { $mark } { $prize }
board-cancelled = { $reason ->
    [lobby_expired] No se unió suficiente gente a tiempo, así que la partida se cancela.
    [operator] El equipo que gestiona este bot ha cancelado la partida.
    [bot_removed] Han sacado al bot del chat, así que la partida se cancela.
   *[host] Quien organizaba ha cancelado la partida.
}

lobby-players = { $players ->
    [0] 👥 Todavía no hay nadie. Plazas: { $seats }.
   *[other] 👥 <b>{ $players } de { $seats }</b> en la partida:
}
lobby-without-winners = { $count ->
    [one] 🎽 En esta revancha no juega quien ya ganó.
   *[other] 🎽 En esta revancha no juegan los { $count } que ya ganaron.
}
lobby-waiting = { $missing ->
    [one] ⏳ Con un jugador más podemos empezar. La inscripción cierra { $deadline }.
   *[other] ⏳ Con { $missing } jugadores más podemos empezar. La inscripción cierra { $deadline }.
}
lobby-joining = ⏳ Empieza { $deadline }. Todavía puedes unirte.
lobby-host = Organiza: { $host }

button-join = Jugar
button-leave = Salir
button-start = Empezar ya
button-extend = +1 minuto
button-cancel = Cancelar partida
button-rules = Reglas
button-rematch = Revancha
button-rematch-everyone = Cualquiera
button-rematch-not-winners = { $count ->
    [one] Todos menos el ganador
   *[other] Menos los { $count } ganadores
}
button-fair = Cómo fue el sorteo
button-share = Compartir
button-pick = Elegir número
button-pick-privately = Elegir en secreto
button-open-app = 📱 Abrir la partida
button-pick-in-chat = En el chat privado
button-confirm-cancel = Sí, cancelar
button-keep-playing = Seguir jugando

share-text = { $winner } ha ganado «{ $title }». ¡Juega con nosotros!
share-text-nobody = Hemos jugado a «{ $title }». ¡Juega con nosotros!

last-call = { $players ->
    [one] 📣 <b>{ $title }</b>: ¡última llamada! Hay un jugador y empieza a las { $time }.
   *[other] 📣 <b>{ $title }</b>: ¡última llamada! Hay { $players } jugadores y empieza a las { $time }.
}
late-group = ⏰ Falta el turno de { $names }, hasta las { $time }.
late-private = ⏰ Todavía no has elegido y se acaba el tiempo.

## El tablero de cada jugador

own-joined = Ya estás dentro. Cuando empiece la partida, podrás jugar aquí mismo.
own-not-joined = Todavía no te has unido. Toca <b>Jugar</b> en el grupo.
own-not-in-game = No estás en esta partida. Te esperamos en la próxima.
confirm-cancel = ¿Cancelar «{ $title }»? No ganará nadie y no se puede deshacer.

## Respuestas a los toques

tap-done = Hecho.
tap-joined = { $players ->
    [one] Ya estás dentro. De momento no hay nadie más.
   *[other] Ya estás dentro: { $players } jugadores de momento.
}
tap-left = Has salido de la partida.
tap-started = Inscripción cerrada. ¡Allá vamos!
tap-extended = Hay un minuto más para todos.
tap-cancelled = La partida se ha cancelado.
tap-taken = Ese número está ocupado. Prueba con otro.
tap-turn-hint = ‹ y › pasan la página; « y » saltan varias.
tap-no-pages = Ahora no hay páginas que pasar.
tap-rematch = La revancha está abierta y ya estás dentro.
tap-rematch-without-you = La revancha está abierta. Como ya ganaste, esta vez no juegas.
tap-rematch-command = Tu aplicación no puede mostrar la pregunta. Usa /newgame.
rematch-question = Revancha de <b>{ $title }</b>. ¿Quién puede entrar?
tap-over = Esta partida ha terminado.
tap-no-own-board = Aquí no puedo mostrártelo solo a ti. Juega en el mensaje del grupo, por favor.
tap-garbage = No conozco este botón. Puede ser de una versión anterior.
tap-cancel-command = Para cancelar la partida, envía /cancel_game.
tap-fair-command = Para ver la prueba del sorteo, envía /fair.

## Palabras con las que se dice que no hay premio

prize-none-words = no, nada, ninguno, sin premio, no hay, no hay premio

## Monedas: el código, el símbolo y las palabras que escribe la gente

currency-words =
    EUR: €, euro, euros;
    $: $, dólar, dólares, dolar, dolares;
    USD: US$;
    GBP: £, libra, libras;
    RUB: ₽, rublo, rublos;
    UAH: ₴, grivna, grivnas;
    KZT: ₸, tenge;
    BYN: Br;
    PLN: zł, esloti, eslotis;
    CHF: Fr, franco, francos;
    ¥: ¥, yen, yenes, yuan, yuanes;
    INR: ₹, rupia, rupias;
    TRY: ₺, lira, liras;
    ILS: ₪, séquel, séqueles;
    BRL: R$, real, reales;
    BTC: ₿, bitcoin, bitcoins;
    TON: ton, toncoin;
    USDT: usdt, tether;
    XTR: ⭐, ⭐️, estrella, estrellas;

## Condiciones para jugar

lobby-conditions = 🔑 Pueden jugar: { $conditions }
condition-channel = miembros de { $channel }
condition-private-channel = miembros de un canal privado
condition-known = { $days ->
    [one] conocidos míos desde hace un día
   *[other] conocidos míos desde hace { $days } días
}
condition-boost = quienes dan un boost a este chat
condition-premium = quienes tienen Telegram Premium
