## /privacy

privacy-in-private = Lo que guardo sobre ti solo lo muestro en nuestro chat privado.
privacy-go-private = Abrir el chat privado
privacy-title = <b>Lo que guardo sobre ti</b>
privacy-account =
    { $count ->
        [one] 👤 Tu nombre y tus preferencias: { $count } registro
       *[other] 👤 Tu nombre y tus preferencias: { $count } registros
    }
privacy-games =
    { $count ->
        [one] 🎲 Partidas que jugaste u organizaste: { $count } registro
       *[other] 🎲 Partidas que jugaste u organizaste: { $count } registros
    }
privacy-results =
    { $count ->
        [one] 🏆 { $count } total, logro o puesto en un podio
       *[other] 🏆 { $count } totales, logros y puestos en podios
    }
privacy-packs =
    { $count ->
        [one] 📚 { $count } paquete de preguntas o plantilla
       *[other] 📚 { $count } paquetes de preguntas y plantillas
    }
privacy-bans =
    { $count ->
        [one] ⛔ { $count } bloqueo
       *[other] ⛔ { $count } bloqueos
    }
privacy-log =
    { $count ->
        [one] 📝 { $count } entrada en el registro de acciones
       *[other] 📝 { $count } entradas en el registro de acciones
    }
privacy-nothing = Todavía nada.
privacy-kept = Puedes recibir una copia de todo. Si lo borras, tu nombre desaparece de todas partes; los resultados se quedan en los grupos sin él, para que los totales y las pruebas sigan siendo correctos.
privacy-policy = <a href="{ $url }">Política de privacidad</a>
privacy-export = 📄 Recibir una copia
privacy-erase = Borrar mis datos…
privacy-exported = Todo lo que guardo sobre ti.
privacy-erase-sure =
    <b>¿Borrar tus datos?</b>
    Desaparecerán tu nombre, tu idioma, tu cartera, tus paquetes de preguntas y tus logros. Tus resultados se quedan en los grupos sin tu nombre. Los bloqueos siguen vigentes.

    No se puede deshacer. Sales enseguida de las partidas que aún no han empezado; la que esté en curso se juega antes hasta el final.
privacy-sure = Sí, borrar
privacy-keep = No, conservar
privacy-erasing = Estoy borrando tus datos. Te avisaré cuando termine.
privacy-erased = Tus datos están borrados. Si vuelves a jugar, empiezas de cero.
