# Salida de las órdenes que comprueban un sorteo.

verify-holds = La prueba es válida: partida { $game }.
verify-fails = La prueba NO es válida: partida { $game }.
verify-passed = bien
verify-failed = FALLO
verify-document = El documento está intacto: tiene la forma canónica y su suma de control coincide.
verify-commitment = La semilla secreta es la que se prometió antes de que nadie eligiera. Su SHA-256 es { $hash }.
verify-opening = Las reglas, la partida, el chat y la semilla son los que se prometieron antes de que nadie eligiera. Su SHA-256 es { $hash }.
verify-seed = La semilla corresponde al SHA-256 prometido: { $hash }.
verify-seeds = Es la semilla { $number } de las { $size } fijadas de antemano para este chat: { $root }.
verify-seed-alone = La semilla se creó para esta partida; no había ninguna fijada de antemano.
verify-closing =
    { $round ->
        [0] La elección se cerró después de abrirse.
       *[other] La ronda { $round } de la baliza es la que resulta de la promesa y de la hora de cierre.
    }
verify-beacon-signed = La ronda { $round } está firmada por la baliza { $chain } con una clave que este programa conoce.
verify-beacon-unpinned = La ronda { $round } está firmada con la clave que la promesa indica para la baliza { $chain }. Este programa no conoce esa clave: compárala por tu cuenta.
verify-beacon-unchecked = El valor aleatorio de la ronda { $round } corresponde a su firma. La firma NO se comprueba aquí: compara la ronda con la baliza pública { $chain }.
verify-beacon-absent = El sorteo usó la ronda { $round } de la baliza.
verify-void =
    { $reason ->
        [beacon] El sorteo es nulo porque la ronda de la baliza no se publicó a tiempo: no salió ningún número y no ganó nadie.
       *[operator] El sorteo es nulo porque un operador lo interrumpió: no salió ningún número y no ganó nadie.
    }
verify-log = El registro público contiene la apertura, el cierre y el resultado: { $size } hojas, raíz { $root }.
verify-head = La cabecera del registro está firmada con la clave { $key }.
verify-head-unchecked = La firma de la cabecera del registro NO se comprueba aquí. Su clave es { $key }.
verify-kept-commitment = El sello es el que guardaste: { $hash }.
verify-kept-head = El registro sigue conteniendo todo lo que había en la cabecera que guardaste: { $size } hojas, raíz { $root }.
verify-kept-head-alone = La cabecera que guardaste NO se compara. Tiene { $size } hojas y la de la prueba tiene { $now }, así que hace falta un archivo de consistencia: pídelo al operador e indícalo con --consistency.
verify-no-consistency = El archivo { $path } no es una prueba de consistencia: { $reason }.
verify-bad-head = Escribe la cabecera del registro como TAMAÑO:RAÍZ, con la raíz en 64 cifras hexadecimales.
verify-entries =
    { $count ->
        [one] Una participación con un número del 1 al { $highest }.
       *[other] { $count } participaciones con números distintos del 1 al { $highest }, una por jugador.
    }
verify-absent =
    { $count ->
        [0] A nadie ausente se le asignó un número.
        [one] A una persona ausente se le asignó un número, que resulta de la semilla.
       *[other] A { $count } personas ausentes se les asignaron números, que resultan de la semilla.
    }
verify-digest = El resumen de las participaciones coincide: { $hash }.
verify-beacon = El valor aleatorio de la ronda { $round } corresponde a su firma. Compara la ronda con la baliza pública { $chain }.
verify-beacon-missing = La ronda { $round } de la baliza no se publicó a tiempo, así que el sorteo se hizo sin ella.
verify-order =
    { $count ->
        [0] No hubo que sacar ningún número.
        [one] Salió un número, que resulta de la semilla y de las participaciones.
       *[other] Salieron { $count } números, en el orden que resulta de la semilla y de las participaciones.
    }
verify-places =
    { $count ->
        [one] El puesto ganador resulta del sorteo.
       *[other] Los { $count } puestos ganadores resultan del sorteo.
    }
verify-prizes = Los premios están repartidos según las reglas y suman { $pool }.
verify-prizes-words = Los premios son los prometidos antes de que nadie eligiera: { $prizes }.
verify-not-json = Esto no es una prueba: el archivo no es JSON.
verify-too-large = Esto no es una prueba: el archivo es demasiado grande.
verify-unknown-format = Esta versión no conoce el formato de esta prueba.
verify-not-canonical = Esto no es una prueba: no tiene la forma canónica.
verify-incomplete = Esta prueba está incompleta: falta un campo o tiene un valor del tipo equivocado.
verify-unreadable = No se puede leer el archivo { $path }: { $reason }
