## La clasificación

cmd-best-chat = Los mejores de este grupo
cmd-best-all = Los mejores de todos los grupos
cmd-best-own-group = Los mejores de tu grupo
cmd-best-title-ever = <b>{ $list }</b>
cmd-best-title-week = <b>{ $list }</b> · esta semana
cmd-best-title-month = <b>{ $list }</b> · este mes
cmd-best-title-season = <b>{ $list }</b> · esta temporada
cmd-best-ever = Siempre
cmd-best-week = Semana
cmd-best-month = Mes
cmd-best-season = Temporada
cmd-best-none-ever = Nadie ha terminado todavía una partida.
cmd-best-none-week = Esta semana nadie ha terminado una partida.
cmd-best-none-month = Este mes nadie ha terminado una partida.
cmd-best-none-season = Esta temporada nadie ha terminado una partida.
cmd-best-around-me = Mi puesto
cmd-best-without-you = Aún no estás en esta lista: termina una partida y aparecerás.
cmd-best-champion = 👑 Temporada anterior ({ $season }): { $names }

season-over = 🏁 <b>Fin de la temporada: { $season }</b>
season-next = La nueva temporada

## Logros

achievements-line = 🏅 { $name }: { $names }
achievement-first-win = primera victoria
achievement-wins-10 = 10 victorias
achievement-wins-50 = 50 victorias
achievement-games-10 = 10 partidas
achievement-games-100 = 100 partidas
achievement-streak-5 = 5 aciertos seguidos
achievement-streak-10 = 10 aciertos seguidos
achievement-points-10000 = 10 000 puntos
achievement-crowd = victoria entre 20 o más
achievement-duel = victoria en un duelo
achievement-number-one = victoria con el número 1
achievement-last-place = último puesto ganador
achievement-first-prize = premio ganado

## El gráfico de las últimas semanas

weeks-button = 📊 Por semanas
weeks-none =
    { $weeks ->
        [one] No ha terminado ninguna partida en la última semana.
       *[other] No ha terminado ninguna partida en las últimas { $weeks } semanas.
    }
weeks-title =
    { $weeks ->
        [one] <b>{ $name }</b>, última semana: { $figures }
       *[other] <b>{ $name }</b>, últimas { $weeks } semanas: { $figures }
    }
weeks-line = { $date }: { $figures }
weeks-count-games =
    { $games ->
        [0] ninguna partida
        [one] { $games } partida
       *[other] { $games } partidas
    }
weeks-count-both =
    { $wins ->
        [0] { $games }, sin victorias
        [one] { $games }, { $wins } victoria
       *[other] { $games }, { $wins } victorias
    }
weeks-games = Partidas
weeks-wins = Victorias
weeks-axis = Inicio de la semana

## Los resultados de un grupo en un archivo

results-get = 📄 Resultados en un archivo (para administradores)
results-none = En los últimos 12 meses no ha terminado ninguna partida en este grupo.
results-year =
    { $rows ->
        [one] Resultados de los últimos 12 meses: { $rows } fila.
       *[other] Resultados de los últimos 12 meses: { $rows } filas.
    }
results-newest = Los resultados más recientes: { $rows } filas, el máximo de un archivo, que llega como mucho a los últimos 12 meses.
results-column-title = Partida
results-column-kind = Tipo
results-column-status = Resultado
results-column-opened = Abierta
results-column-ended = Terminada
results-column-name = Jugador
results-column-number = Número
results-column-points = Puntos
results-column-place = Puesto
results-column-prize = Premio
results-column-currency = Moneda
results-column-award = Premio en palabras
results-column-game = Código
results-column-player = ID del jugador
results-status =
    { $status ->
        [completed] jugada
       *[other] cancelada
    }
