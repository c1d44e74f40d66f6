### Answers of /verify about players' wallets.

## Refusals

rejected-wrong-checksum = This address contains a mistake: its capital letters don’t match its checksum. Please copy it from your wallet again.
rejected-nothing-to-sign = There is no text waiting for your signature; each text can be used only once. Send /verify with your address to get a new one.
rejected-signed-too-late = That text has expired. Send /verify with your address to get a new one.
rejected-malformed-signature = This isn’t a valid signature. Please copy the whole signature again.
rejected-altered-signature = This signature was changed after signing. Send it exactly as your wallet shows it.
rejected-wrong-signer = This signature doesn’t match { $address } and the text. Sign the unchanged text with that wallet.
rejected-wallet-of-another = Another player has already verified this wallet. They can release it with /verify remove.

## Answers

wallet-in-private = Please verify your wallet in a private chat with me, where nobody else can see it.
wallet-go-private = Open the private chat
wallet-none = You have no verified wallet.
wallet-yours = Your wallet, verified on { $when }: <code>{ $address }</code>
wallet-how =
    <b>How to verify a wallet</b>
    1. Send <code>/verify 0x…</code> with the address of your wallet on Ethereum or a compatible network.
    2. Sign the text that I send you. Your wallet calls this “sign message” or personal_sign.
    3. Send <code>/verify 0x…</code> with the signature.

    This is free and transfers nothing. Never share your private key or recovery phrase with me or anyone else. A new wallet replaces the old one; <code>/verify remove</code> removes it.
wallet-sign =
    Sign this text with your wallet, without any changes:

    <code>{ $statement }</code>

    Then send <code>/verify</code> with the signature before { $until }. Sign only if the address and the bot’s name in the text are correct.
wallet-verified = Verified: <code>{ $address }</code> is your wallet.
wallet-removed = Your wallet has been removed.
wallet-usage = Send /verify with an address (0x and 40 hex digits), a signature (0x and 130 hex digits), or the word remove. Send just /verify for instructions.

## The text to sign, on one line. The signature is valid only for exactly this text.

wallet-statement = Wallet { $address } belongs to player { $player } of @{ $bot } in Telegram. I sign this only to prove it; no funds are transferred. Valid once, until { $until } UTC: { $nonce }

## Menus

cmd-about-verify = Verify your wallet
