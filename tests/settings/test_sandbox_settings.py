"""The sandbox's bot and a real bot share no data."""

import socket
from pathlib import Path

from pydantic import SecretStr

from bot.launch import offline_settings
from bot.settings import Database, Redis, Settings, Telegram, Web


def test_the_sandbox_uses_neither_the_folder_nor_the_stores_of_a_real_bot(tmp_path: Path) -> None:
    real = Settings(
        data_dir=tmp_path,
        telegram=Telegram(token=SecretStr("123456789:real")),
        database=Database(dsn=SecretStr("postgresql://tombola@db.example.org/tombola")),
        redis=Redis(dsn=SecretStr("redis://cache.example.org")),
    )

    offline = offline_settings(real, "1:sandbox", "http://127.0.0.1:1")

    assert offline.data_dir != real.data_dir
    assert offline.data_dir.parent == real.data_dir
    assert offline.database.dsn.get_secret_value() == offline.redis.dsn.get_secret_value() == ""
    assert offline.telegram.token.get_secret_value() == "1:sandbox"
    assert real.data_dir == tmp_path


def test_the_sandboxes_page_may_show_the_mini_app_under_both_names_of_this_machine() -> None:
    offline = offline_settings(Settings(), "1:sandbox", "http://127.0.0.1:8080")

    assert offline.app.framed_by == ("http://127.0.0.1:8080", "http://localhost:8080")


def test_the_mini_app_of_a_sandbox_on_all_addresses_has_the_next_port_and_may_be_shown_under_any_of_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as page, socket.create_server(("127.0.0.1", 0)) as taken:
        port, used = page.getsockname()[1], taken.getsockname()[1]
        offline = offline_settings(Settings(web=Web(host="0.0.0.0")), "1:sandbox", f"http://0.0.0.0:{port}")
        other = offline_settings(Settings(), "1:sandbox", f"http://127.0.0.1:{used - 1}")

    assert offline.web.port != port
    assert offline.app.url == f"http://0.0.0.0:{offline.web.port}/app/"
    assert offline.app.framed_by == (f"http://*:{port}",)
    assert other.web.port != used
