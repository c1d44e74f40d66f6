### Palabras de verify.html y verify.py; las copia allí `python -m bot.verifier_words`.

## Resultado de cada comprobación

verifier-ok = bien
verifier-failed = FALLO
verifier-holds = La prueba es válida
verifier-fails = La prueba NO es válida
verifier-unreadable = no se puede leer
verifier-too-large = Esto no es una prueba: el archivo es demasiado grande.
verifier-not-json = Esto no es una prueba: el archivo no es JSON.
verifier-unknown-format = El formato de esta prueba es desconocido.
verifier-not-canonical = Esto no es una prueba: no tiene la forma canónica.
verifier-incomplete = Esta prueba está incompleta: falta un campo o tiene un valor del tipo equivocado.
verifier-document = el documento está intacto
verifier-commitment = la semilla es la prometida antes de que nadie eligiera
verifier-opening = reglas, partida, chat y semilla son los prometidos antes de que nadie eligiera
verifier-seed = la semilla es la prometida
verifier-seeds = es la semilla con ese número entre las fijadas de antemano para el chat
verifier-seed-alone = la semilla se creó para esta partida: no había ninguna fijada de antemano
verifier-closing = la elección se cerró según lo prometido, y de la hora de cierre resulta la ronda
verifier-beacon = el valor aleatorio corresponde a su firma; compara la ronda con la baliza pública
verifier-beacon-missing = esta ronda no llegó a tiempo, así que el sorteo se hizo sin ella
verifier-beacon-signed = la ronda está firmada por la baliza con una clave conocida
verifier-beacon-unpinned = la ronda está firmada con la clave de la promesa, que este programa no conoce: compárala
verifier-beacon-absent = el sorteo usó esta ronda de la baliza
verifier-entries = cada jugador tiene un número y cada número un jugador
verifier-absent = los ausentes tienen los números que resultan de la semilla
verifier-digest = el resumen de las participaciones coincide
verifier-order = los números salieron en el orden que resulta de semilla, participaciones y baliza
verifier-places = los ganadores resultan del sorteo
verifier-prizes = los premios están repartidos según las reglas
verifier-void = el sorteo es nulo: no salió ningún número y no ganó nadie
verifier-log = el registro público contiene apertura, cierre y resultado
verifier-head = la cabecera del registro está firmada con esta clave
verifier-kept-commitment = es el sello que guardaste
verifier-kept-head = el registro ha crecido desde la cabecera que guardaste
verifier-kept-head-alone = sin comparar: para una cabecera de otro tamaño, pide al operador un archivo de consistencia

## La página

verifier-page-title = Comprobar un sorteo
verifier-page-about = Todo se calcula en este dispositivo. No se envía nada a ninguna parte.
verifier-page-drop = Suelta aquí la prueba o toca para elegirla
verifier-page-seal = El sello que guardaste (opcional)
verifier-page-kept = Una cabecera del registro que guardaste, tamaño:raíz (opcional)
verifier-page-grown = Un archivo de consistencia, si esa cabecera tiene otro tamaño
verifier-page-working = Comprobando…
