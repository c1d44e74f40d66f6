### Respuestas de /verify sobre las billeteras.

## Rechazos

rejected-wrong-checksum = Esta dirección contiene un error: sus mayúsculas no coinciden con la suma de control. Cópiala otra vez desde tu billetera.
rejected-nothing-to-sign = No hay ningún texto pendiente de firma; cada uno sirve una sola vez. Envía /verify con tu dirección para recibir uno nuevo.
rejected-signed-too-late = Ese texto ha caducado. Envía /verify con tu dirección para recibir uno nuevo.
rejected-malformed-signature = Esto no es una firma válida. Copia otra vez la firma completa.
rejected-altered-signature = Esta firma se modificó después de firmar. Envíala tal como la muestra tu billetera.
rejected-wrong-signer = Esta firma no corresponde a { $address } y a ese texto. Firma el texto con esa billetera, sin cambiarlo.
rejected-wallet-of-another = Otra persona ya verificó esta billetera. Puede liberarla con /verify remove.

## Respuestas

wallet-in-private = Verifica tu billetera en un chat privado conmigo, donde nadie más pueda verla.
wallet-go-private = Abrir el chat privado
wallet-none = No tienes ninguna billetera verificada.
wallet-yours = Tu billetera, verificada el { $when }: <code>{ $address }</code>
wallet-how =
    <b>Cómo verificar una billetera</b>
    1. Envía <code>/verify 0x…</code> con la dirección de tu billetera en Ethereum o en una red compatible.
    2. Firma el texto que te enviaré. Tu billetera lo llama «firmar mensaje» o personal_sign.
    3. Envía <code>/verify 0x…</code> con la firma.

    Es gratis y no transfiere nada. Nunca me des a mí, ni a nadie, tu clave privada o tu frase de recuperación. Una billetera nueva sustituye a la anterior; <code>/verify remove</code> la elimina.
wallet-sign =
    Firma este texto con tu billetera, sin ningún cambio:

    <code>{ $statement }</code>

    Después envía <code>/verify</code> con la firma antes de esta hora: { $until }. Firma solo si la dirección y el nombre del bot en el texto son correctos.
wallet-verified = Verificada: <code>{ $address }</code> es tu billetera.
wallet-removed = Tu billetera ya no está vinculada aquí.
wallet-usage = Envía /verify con una dirección (0x y 40 cifras hexadecimales), una firma (0x y 130 cifras hexadecimales) o la palabra remove. Con /verify a secas verás las instrucciones.

## El texto que se firma, en una línea. La firma vale solo para exactamente este texto.

wallet-statement = La billetera { $address } pertenece a { $player }, que juega con @{ $bot } en Telegram. Firmo esto solo para demostrarlo; no se transfieren fondos. Válido una sola vez, hasta { $until } UTC: { $nonce }

## Menús

cmd-about-verify = Verificar tu billetera
