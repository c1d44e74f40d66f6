### Elige tu número.

pick-number-name = Elige tu número
pick-number-sign = 🎱
pick-number-hint = Elige un número que no tenga nadie más. Gana aquel cuyo número salga primero. En el modo inverso, quien sale queda fuera y gana el último que quede en pie.

## La inscripción

pick-number-about = { $winners ->
    [one] Cada cual elige un número. Gana el que salga primero.
   *[other] Cada cual elige un número. Ganan los { $winners } primeros que salgan.
}
pick-number-about-reverse = { $winners ->
    [one] 🔄 A la inversa: cada cual elige un número y quien sale queda fuera. Gana el último en pie.
   *[other] 🔄 A la inversa: cada cual elige un número y quien sale queda fuera. Ganan los últimos { $winners } en pie.
}
pick-number-beacon-used = 🎲 El sorteo incluye un número aleatorio público que nadie conoce de antemano. { $policy ->
    [void] Si no llega, no gana nadie.
   *[wait] Si se retrasa, el sorteo lo espera.
}

## Elección

pick-number-pick = Elige un número del 1 al { NUMBER($highest, useGrouping: 0) }. Mientras quede tiempo puedes cambiarlo.
pick-number-pick-secretly = 🙈 Elige un número del 1 al { NUMBER($highest, useGrouping: 0) } con el botón de abajo. Hasta que se cierre la elección nadie ve quién tiene cuál.
pick-number-picked-count = ✅ Han elegido: <b>{ $picked }</b> de { $players }
pick-number-picked = ✅ Han elegido { $picked } de { $players }:
pick-number-missing = 💭 Aún lo piensan: { $names }
pick-number-open-until = ⏳ Se puede elegir hasta las { $time }
pick-number-closes = ⏳ La elección se cierra { $at }
pick-number-seal =
    🔒 El sorteo está sellado:
    <code>{ $commitment }</code>

## Los dos mensajes de un sorteo que conviene guardar

pick-number-begun = 🎱 <b>{ $title }</b>: ¡a elegir, del 1 al { NUMBER($highest, useGrouping: 0) }!
pick-number-sealed =
    🔒 El sorteo está sellado. <b>Guarda este mensaje.</b>
    Sello <code>{ $commitment }</code>
    Partida <code>{ $game }</code>
pick-number-bound = { $winners ->
    [one] Números del 1 al { NUMBER($highest, useGrouping: 0) }; gana el primero que salga.
   *[other] Números del 1 al { NUMBER($highest, useGrouping: 0) }; ganan los { $winners } primeros que salgan.
}
pick-number-bound-reverse = { $winners ->
    [one] 🔄 Números del 1 al { NUMBER($highest, useGrouping: 0) }; gana el último en pie.
   *[other] 🔄 Números del 1 al { NUMBER($highest, useGrouping: 0) }; ganan los últimos { $winners } en pie.
}
pick-number-bound-absent = { $policy ->
    [auto] Quien no elija recibe un número libre.
   *[drop] Quien no elija queda fuera.
}
pick-number-bound-beacon = 🎲 drand <code>{ $chain }</code>; si se retrasa, { $policy ->
    [void] el sorteo es nulo.
   *[wait] el sorteo espera, un día como mucho.
}
pick-number-bound-alone = Sin número aleatorio público.
pick-number-bound-seed = 🌱 Semilla { NUMBER($number, useGrouping: 0) } de las { NUMBER($size, useGrouping: 0) } preparadas para este chat: <code>{ $root }</code>
pick-number-bound-fresh = 🌱 Semilla recién creada: no había ninguna preparada para este chat.
pick-number-over = { $entries ->
    [one] ✋ <b>{ $title }</b>: se acabó la elección, hay un número en juego. ¡Empieza el sorteo!
   *[other] ✋ <b>{ $title }</b>: se acabó la elección, hay { $entries } números en juego. ¡Empieza el sorteo!
}
pick-number-final =
    🧾 La lista es definitiva. <b>Guarda este mensaje.</b>
    Lista ({ $entries }) <code>{ $digest }</code>
    Partida <code>{ $game }</code>
pick-number-final-beacon = 🎲 Decide la ronda { $round } de drand, { $at }
pick-number-final-file = La lista está en el archivo; este es su SHA-256.

## El sorteo

pick-number-awaiting-beacon = 🔒 Todos los números están dentro y ya nada puede cambiar. El sorteo empieza cuando salga el número aleatorio público: ronda { $round } de drand, { $at }.
pick-number-beacon-late = El número aleatorio público se retrasa. { $policy ->
    [void] Si no llega pronto, el sorteo será nulo.
   *[wait] El sorteo lo espera, un día como mucho.
}
pick-number-drum-roll = { $entries ->
    [one] Hay un número en juego. En un momento sale el primero…
   *[other] Hay { $entries } números en juego. En un momento sale el primero…
}
pick-number-drawn = 🎲 Han salido: { $numbers }
pick-number-place = { $mark } { $name } con el { NUMBER($number, useGrouping: 0) }
pick-number-places-left = { $left ->
    [one] Queda un puesto con premio…
   *[other] Quedan { $left } puestos con premio…
}
pick-number-out = 💥 Fuera ({ $out }), empezando por los últimos: { $names }
pick-number-standing = 🧍 En pie ({ $standing }): { $names }

## El resultado

pick-number-winner = { $mark } { $name } con el { NUMBER($number, useGrouping: 0) }
pick-number-winner-prize = { $mark } { $name } con el { NUMBER($number, useGrouping: 0) }: <b>{ $prize }</b>
pick-number-tally = { $players ->
    [one] Un jugador; números que han salido: { $drawn } de { $highest }.
   *[other] { $players } jugadores; números que han salido: { $drawn } de { $highest }.
}
pick-number-rest = También han jugado: { $names }
pick-number-without = Sin número: { $names }
pick-number-assigned = Con número al azar: { $names }
pick-number-opened =
    🔓 Semilla: <code>{ $seed }</code>
    🔒 Sello: <code>{ $commitment }</code>

## El tablero de cada jugador

pick-number-own-pick = Tu elección, del 1 al { NUMBER($highest, useGrouping: 0) }:
pick-number-own-number = Tienes el <b>{ NUMBER($number, useGrouping: 0) }</b>. Para cambiarlo, toca otro que esté libre.
pick-number-own-drawing = Entras en el sorteo con el <b>{ NUMBER($number, useGrouping: 0) }</b>. ¡Suerte!
pick-number-own-out = Ha salido tu <b>{ NUMBER($number, useGrouping: 0) }</b>.
pick-number-own-without = No tenías número cuando se cerró la elección, así que esta vez no juegas.
pick-number-own-lost = Esta vez el <b>{ NUMBER($number, useGrouping: 0) }</b> no tuvo suerte. Gracias por jugar.
pick-number-own-won = { $place } Has ganado con el <b>{ NUMBER($number, useGrouping: 0) }</b>. ¡Enhorabuena!
pick-number-own-won-prize = { $place } Has ganado <b>{ $prize }</b> con el <b>{ NUMBER($number, useGrouping: 0) }</b>. ¡Enhorabuena!
pick-number-own-line = Tu número es el <b>{ $number }</b>.

## Respuestas a los toques

tap-picked = Tienes el { NUMBER($number, useGrouping: 0) }.

## Reglas y prueba

pick-number-rules =
    🎱 <b>Elige tu número</b>

    <b>1.</b> Únete mientras la inscripción esté abierta. Cuando haya suficientes jugadores habrá una última llamada y después se abrirá el tablero.
    <b>2.</b> Elige un número libre, en el grupo o en secreto. Cada número tiene un solo dueño. Mientras quede tiempo puedes cambiarlo.
    <b>3.</b> Los números se sacan de todo el tablero. Los libres no cuentan; ganan los primeros jugadores que salgan, en ese orden.

    🔄 <b>Modo inverso:</b> quien sale queda fuera. Ganan los últimos en pie; el último de todos se lleva el primer puesto.

    <blockquote expandable>💰 <b>Premios:</b> la mitad para el primer puesto y de ahí hacia abajo, o partes iguales, o los porcentajes de quien organiza. Siempre suman el fondo completo.

    🔒 <b>Juego limpio:</b> antes de que nadie elija, el bot publica la huella (SHA-256) de las reglas y de una semilla secreta. Acabada la elección, nadie puede detener el sorteo. La semilla llega con el resultado y cualquiera puede recalcularlo: /fair.</blockquote>
pick-number-proof-early = El sorteo se sella cuando empieza la elección. Entonces su huella aparece en el mensaje de la partida.
pick-number-proof-sealed =
    🔒 Las reglas y la semilla secreta del sorteo están selladas. SHA-256 de ambas:
    <code>{ $commitment }</code>

    Cuando termine la partida se publicará la semilla y podrás comprobar que nada ha cambiado.
pick-number-proof = { $entries ->
    [one]
        De la semilla y la participación resulta el orden del sorteo (han salido: { $drawn }). Compruébalo sin fiarte de mí, con verify.html o verify.py.

        <blockquote expandable>🔒 Sellado antes de elegir: <code>{ $commitment }</code>
        🔓 La semilla: <code>{ $seed }</code>
        🧾 SHA-256 de la única participación, del 1 al { NUMBER($highest, useGrouping: 0) }: <code>{ $digest }</code></blockquote>
   *[other]
        De la semilla y las participaciones resulta el orden del sorteo (han salido: { $drawn }). Compruébalo sin fiarte de mí, con verify.html o verify.py.

        <blockquote expandable>🔒 Sellado antes de elegir: <code>{ $commitment }</code>
        🔓 La semilla: <code>{ $seed }</code>
        🧾 SHA-256 de las { $entries } participaciones, del 1 al { NUMBER($highest, useGrouping: 0) }: <code>{ $digest }</code></blockquote>
}
pick-number-proof-beacon = 🎲 Se incluyó la ronda { $round } de la baliza drand.
pick-number-proof-void = ⚠️ El sorteo es nulo: no ganó nadie. Aun así, aquí están la semilla y las participaciones.
pick-number-proof-no-beacon = 🎲 Se esperaba la ronda { $round } de la baliza drand, pero no llegó a tiempo; el sorteo siguió sin ella.

## Los formularios

pick-number-newgame-choose = 🎱 Elige tu número
pick-number-form =
    🎯 { $mode ->
        [reverse] { $winners ->
            [one] Gana el último en pie
           *[other] Ganan los últimos { $winners } en pie
        }
       *[normal] { $winners ->
            [one] Gana el primer número que salga
           *[other] Ganan los { $winners } primeros números que salgan
        }
    } · { $selection_seconds } para elegir
pick-number-newgame = <b>Partida nueva: Elige tu número</b>
pick-number-newgame-instead = 🎱 Jugar a Elige tu número
pick-number-settings =
    <b>Las reglas del grupo para Elige tu número</b>
    Con ellas empieza cada partida nueva.
pick-number-settings-open = 🎱 Reglas de Elige tu número
dlg-pick-number-about-mode = Normalmente gana aquel cuyo número sale primero. En el modo inverso, quien sale queda fuera y ganan los últimos en pie.
dlg-name-selection_seconds = Para elegir
dlg-about-selection_seconds = Cuánto tiempo hay para elegir un número, en segundos.
dlg-name-reveal_seconds = Entre dos números
dlg-about-reveal_seconds = Cuánto se ve un número antes de que salga el siguiente, en segundos.
dlg-name-beacon_policy = Retraso del número aleatorio
dlg-about-beacon_policy = Solo si este bot incluye un número aleatorio público en los sorteos: qué pasa cuando no llega a tiempo. La espera termina al cabo de un día.
dlg-name-absent = Sin número
dlg-about-absent = Qué pasa con quien no ha elegido cuando se acaba el tiempo.
dlg-name-picks = Quién tiene cada número
dlg-about-picks = A la vista de todos desde el principio u oculto hasta que se cierre la elección. Si está oculto, cada cual elige en su propio tablero.
dlg-picks-open = a la vista de todos
dlg-picks-secret = oculto hasta el cierre
dlg-name-numbers = Rango de números
dlg-about-numbers = Los números van del 1 a este. Si lo dejas en mis manos, habrá de sobra para todos.
dlg-name-range_multiplier = Números por jugador
dlg-about-range_multiplier = Cuántos números hay por cada jugador.
dlg-name-max_number = Número más alto
dlg-about-max_number = En el tablero nunca hay números mayores que este.
dlg-pick-number-mode-normal = ganan los que salen
dlg-pick-number-mode-reverse = ganan los últimos en pie
dlg-beacon_policy-wait = el sorteo espera
dlg-beacon_policy-void = no gana nadie
dlg-absent-drop = queda fuera
dlg-absent-auto = recibe un número al azar
dlg-numbers-auto = según los jugadores

## Rechazos

not-now-pick-number = { $phase ->
    [waiting_for_players] Los números llegan cuando empiece la partida.
    [players_joining] Los números llegan cuando empiece la partida.
    [drawing] La elección está cerrada: ya hay sorteo.
    [cancelled] Esta partida se canceló.
   *[other] Esta partida ha terminado.
}
rejected-number-taken = El { NUMBER($number, useGrouping: 0) } está ocupado. Prueba con otro.
rejected-number-out-of-range = El { NUMBER($number, useGrouping: 0) } no está en el tablero: va del 1 al { NUMBER($highest, useGrouping: 0) }.
rejected-already-yours = El { NUMBER($number, useGrouping: 0) } ya es tuyo.

## En los textos de todos los juegos

pick-number-cancelled-nobody_picked = Nadie eligió un número, así que la partida se cancela: no había nada que sortear.
pick-number-phase-number_selection = Eligiendo números
pick-number-phase-drawing = Sorteo en marcha
cmd-about-create_game = Abrir una partida: [título] [reverse] [ganadores]
cmd-help-create_game = /create_game [título] [reverse] [ganadores]: lo mismo en una línea
pick-number-pitch = Elige tu número: cada cual elige un número y decide un sorteo que cualquiera puede comprobar.
rejected-bad-rule-picks = Quién ve los números elegidos: { $low } o { $high }. Has puesto { $given }.
rejected-bad-rule-absent = Jugadores sin número: { $low } o { $high }. Has puesto { $given }.
pick-number-cancelled-void_operator = El equipo que gestiona este bot interrumpió el sorteo antes de que saliera su número. No gana nadie; la semilla y las participaciones están publicadas.
pick-number-cancelled-void_beacon = El número aleatorio público no llegó, así que el sorteo es nulo. No gana nadie; la semilla y las participaciones están publicadas.
rejected-bad-rule-beacon_policy = Retraso del número aleatorio: { $low } o { $high }. Has puesto { $given }.
rejected-draw-sealed = La elección ha terminado, así que el sorteo ya no se puede detener.
