### Players' wallets: what /verify says.

## Refusals

rejected-wrong-checksum = Something in this address is wrong: its capitals don’t fit. Copy it from your wallet once more.
rejected-nothing-to-sign = I am waiting for no signature: each text counts once. Send /verify and your address for a new one.
rejected-signed-too-late = Too late: that text is no longer good. Send /verify and your address for a new one.
rejected-malformed-signature = No wallet signs like this. Copy the whole signature once more.
rejected-altered-signature = This signature was changed after signing. Send it exactly as your wallet gives it.
rejected-wrong-signer = This is no signature of { $address } under that text. Sign the text as it stands, with that wallet.
rejected-wallet-of-another = Another player has verified this wallet. It is free again when they send /verify remove.

## Answers

wallet-in-private = Wallets are verified in the private chat with me, where nobody else sees them.
wallet-go-private = Open the private chat
wallet-none = No wallet of yours is verified.
wallet-yours = Your wallet, verified on { $when }: <code>{ $address }</code>
wallet-how =
    <b>How to verify a wallet</b>
    1. Send <code>/verify 0x…</code> with the address of your wallet on Ethereum or a chain of its kind.
    2. Sign the text that I answer with: your wallet calls it “sign message”, or personal_sign.
    3. Send <code>/verify 0x…</code> with the signature.

    It costs nothing and moves nothing. Never tell me, or anybody, a private key or a recovery phrase. A new wallet takes the place of the old one; <code>/verify remove</code> forgets it.
wallet-sign =
    Sign this text with your wallet, exactly as it stands:

    <code>{ $statement }</code>

    Then send <code>/verify</code> and the signature, until { $until }. Sign only if the address and the bot’s name in it are right.
wallet-verified = Verified: <code>{ $address }</code> is your wallet.
wallet-removed = Your wallet is forgotten.
wallet-usage = After /verify comes an address (0x and 40 digits), a signature (0x and 130 digits), or the word remove. /verify alone explains it.

## What is signed: one line, and only what is said here. The signature counts for this text to the letter.

wallet-statement = Wallet { $address } belongs to player { $player } of @{ $bot } in Telegram. I sign this only to prove it: no funds move. Once, until { $until } UTC: { $nonce }

## Menus

cmd-about-verify = Prove that a wallet is yours
