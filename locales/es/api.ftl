### Rechazos de la API HTTP. Los de las partidas están en rejected.ftl.

rejected-not-found = No hay nada en esta dirección.
rejected-method-not-allowed = Esta dirección no admite ese método. La cabecera Allow enumera los que admite.
rejected-bad-request = No se puede leer la petición: su cuerpo no es un JSON completo.
rejected-invalid-request = La petición no es válida: { $detail }
rejected-too-large = El cuerpo supera los { $limit } bytes.
rejected-request-timeout = El cuerpo no llegó a tiempo. Vuelve a enviar la petición.
rejected-unsupported-media-type = El cuerpo debe tener el tipo de contenido que indica la referencia y llegar sin comprimir.
rejected-too-many-requests = Demasiadas peticiones. Repite esta dentro de { $seconds } s.
rejected-idempotency-key-missing = Para escribir hace falta la cabecera Idempotency-Key, con entre 1 y 128 caracteres ASCII visibles.
rejected-idempotency-key-reused = Otra petición ya usó esta Idempotency-Key. Usa una nueva para cada petición.
rejected-request-in-progress = Ya se está respondiendo a la misma petición. Repítela para recibir la respuesta.
rejected-bad-cursor = Este cursor no corresponde a esta lista con estos filtros.
rejected-bad-query = La consulta GraphQL tiene un error: { $detail }
rejected-query-too-long = Una consulta GraphQL tiene como máximo { $limit } tokens.
rejected-query-too-deep = Una consulta GraphQL tiene como máximo { $limit } niveles.
rejected-too-many-aliases = Una consulta GraphQL tiene como máximo { $limit } alias y campos repetidos, y ninguno en la introspección.
rejected-query-too-costly = La consulta GraphQL cuesta { $cost } y el máximo es { $limit }. Pide páginas más cortas.
rejected-query-too-slow = La consulta GraphQL ha tardado más de { $seconds } s.
rejected-unknown-query = No hay ninguna consulta guardada con este id.
rejected-too-many-connections = El token o el proceso tiene ya { $limit } conexiones en vivo, el máximo.
rejected-too-many-watched = Una conexión sigue como máximo { $limit } partidas y chats.
rejected-wrong-origin = Las páginas de este origen no tienen acceso.
rejected-away = El servicio no puede responder ahora, y no se sabe si el cambio se ha hecho. Envía de nuevo la misma petición.
rejected-bug = Algo ha fallado. El operador encontrará la causa con el código { $trace }.
rejected-not-authenticated = La cabecera Authorization debe llevar un token válido: Bearer tombola_...
rejected-bad-launch = Telegram no ha confirmado quién abre esta página. Ciérrala y vuelve a abrirla desde el chat.
rejected-stale-launch = Esta página se abrió hace demasiado tiempo. Ciérrala y vuelve a abrirla desde el chat.
rejected-bad-login = Este enlace ya se usó o ha caducado. Pide otro al bot.
rejected-tokens-only = Esto solo se puede hacer con un token de la API.
rejected-unknown-token = No existe ese token.
rejected-needs-a-token = Solo un token de la API puede jugar por otra persona.
rejected-precondition-failed = Ha cambiado desde que lo leíste. Léelo otra vez y cámbialo después.
rejected-settings-changed = Otras personas están cambiando estos ajustes. Inténtalo de nuevo.
rejected-unknown-chat = El bot no conoce este chat.
rejected-unknown-player = Aquí no se conoce a esta persona.
rejected-unknown-pack = El chat no tiene ese paquete.
rejected-not-in-log = El registro público todavía no tiene esta partida, o no hubo sorteo en ella.
rejected-pack-unreadable =
    { $count ->
        [one] El archivo tiene un error. No se ha guardado nada.
       *[other] El archivo tiene { $count } errores. No se ha guardado nada.
    }
rejected-too-many-packs = El chat tiene { $limit } paquetes, el máximo. Elimina uno primero.
rejected-pack-name-taken = El chat ya tiene un paquete con ese nombre.
rejected-too-many-files = Hay demasiados archivos en espera. Inténtalo dentro de un momento.
rejected-broadcast-too-long = El mensaje es demasiado largo: como mucho { $limit } caracteres.
rejected-joined-elsewhere = Esta persona se unió en Telegram, así que solo ella puede jugar por sí misma.
rejected-flag-off = Un operador lo ha desactivado: { $flag }.
rejected-unknown-flag = Esta versión no tiene esa opción.
rejected-bad-flag-setting = Hace falta un porcentaje de 0 a 100 y ningún chat en los dos lados.
