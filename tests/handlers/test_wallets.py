"""Recovery of a signature's address: test vectors of others, and everything that is not a signature."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from play.wallets import (
    ORDER,
    AlteredSignature,
    MalformedSignature,
    WrongChecksum,
    checksummed,
    read_address,
    read_signature,
    signer,
)
from tests.handlers.signing import SPOILT, Wallet, altered, encoded, of_nobody

STATEMENT = "Wallet of Ann"
SOME_DATA = (
    "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
    "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c"
)
"""The example of web3.js: the key 0x4c0883a6... signs `Some data`."""
EXAMPLES = [  # of EIP-55
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


def signed_by(statement: str, signature: str) -> str:
    read = read_signature(signature)
    assert read is not None
    return signer(statement, read)


# -- addresses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", EXAMPLES)
def test_an_address_has_the_capitals_of_the_standard(address: str) -> None:
    assert checksummed(address.lower()) == address
    for written in (address, address.lower(), "0x" + address[2:].upper()):
        assert read_address(written) == address.lower()


@pytest.mark.parametrize("address", EXAMPLES[4:])
def test_an_address_with_other_capitals_is_refused(address: str) -> None:
    place = next(i for i in range(2, 42) if address[i].isalpha())
    with pytest.raises(WrongChecksum):
        read_address(address[:place] + address[place].swapcase() + address[place + 1 :])


def test_the_addresses_of_known_keys_are_known() -> None:
    assert Wallet(1).address == "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
    key = 0x4C0883A69102937D6231471B5DBB6204FE5129617082792AE468D01A3F362318
    assert Wallet(key).address == "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "27b1fdb04752bbc536007a920d24acb045561c26",
        "0X27b1fdb04752bbc536007a920d24acb045561c26",
        "0x27b1fdb04752bbc536007a920d24acb045561c2",
        "0x27b1fdb04752bbc536007a920d24acb045561c267",
        "0x27b1fdb04752bbc536007a920d24acb045561c2g",
        "0x27b1fdb04752bbc536007a920d24acb045561c26\n",
        "0x٢7b1fdb04752bbc536007a920d24acb045561c26",
        "0x27b1fdb04752bbc536007a920d24acb045561с26",
        "\u200b0x27b1fdb04752bbc536007a920d24acb045561c26",
        "vitalik.eth",
        SOME_DATA,
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert read_address(text) is None
    assert (read_signature(text) is None) is (text != SOME_DATA)


@settings(max_examples=200)
@given(st.text(max_size=140))
def test_any_text_is_read_or_not(text: str) -> None:
    assert read_address(text) is None
    assert read_signature("0x" + text) is None or len(text) == 130


# -- signatures -------------------------------------------------------------------------------------------------


def test_the_signer_of_a_known_signature_is_known() -> None:
    assert checksummed(signed_by("Some data", SOME_DATA)) == "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"


@pytest.mark.parametrize("statement", ["", STATEMENT, "Кошелёк 👛 Ани", "a" * 1000, "two\nlines"])
@pytest.mark.parametrize("key", [1, 2, 0xABCDEF, ORDER - 1])
def test_who_has_signed_is_found(statement: str, key: int) -> None:
    wallet = Wallet(key)
    assert signed_by(statement, wallet.sign(statement)) == wallet.address.lower()
    r, s, v = wallet.parts(statement)
    assert signed_by(statement, encoded(r, s, v - 27)) == wallet.address.lower(), "hardware wallets count v from 0"


def test_another_text_or_another_half_has_another_signer() -> None:
    wallet = Wallet(7)
    r, s, v = wallet.parts(STATEMENT)
    assert signed_by(STATEMENT + " ", encoded(r, s, v)) != wallet.address.lower()
    assert signed_by(STATEMENT, encoded(r, s, 55 - v)) != wallet.address.lower()


def test_the_second_form_of_a_signature_is_refused() -> None:
    with pytest.raises(AlteredSignature):
        signed_by(STATEMENT, altered(Wallet(7).parts(STATEMENT)))


def test_nobody_has_signed_what_fits_without_a_key() -> None:
    with pytest.raises(MalformedSignature):
        signed_by(STATEMENT, of_nobody(STATEMENT))


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_no_wallet_gives_is_refused(spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(MalformedSignature):
        signed_by(STATEMENT, spoil(*Wallet(7).parts(STATEMENT)))


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=64, max_size=64), st.sampled_from([0, 1, 27, 28, 2, 255]))
def test_any_bytes_are_refused_or_of_some_stranger(content: bytes, v: int) -> None:
    try:
        found = signer(STATEMENT, content + bytes([v]))
    except (AlteredSignature, MalformedSignature):
        return
    assert found != Wallet(7).address.lower()
