"""Delivery of updates: long polling and the webhook's settings."""

import asyncio
import re
from urllib.parse import urlsplit

from aiogram.methods import DeleteWebhook, GetUpdates, GetWebhookInfo, SetWebhook

from sandbox.calls import handles
from sandbox.errors import bad, too_many
from sandbox.state import Json
from sandbox.webhooks import Delivery, Webhook
from sandbox.world import World


@handles(GetUpdates)
async def get_updates(world: World, call: GetUpdates) -> list[Json]:
    """Wait for updates; `timeout` in seconds, 50 at most."""
    limit = 100 if call.limit is None or not 1 <= call.limit <= 100 else call.limit
    world.updates.allow(call.allowed_updates)
    return await world.updates.poll(call.offset or 0, limit, max(0, call.timeout or 0))


def delivery(world: World) -> Delivery:
    """Return the world's webhook delivery. Raises ApiError 400 if the sandbox runs without one."""
    if world.delivery is None:
        raise bad("webhooks are not played in this sandbox")
    return world.delivery


def _check(call: SetWebhook) -> None:
    secret = call.secret_token or ""
    if len(secret) > 256:
        raise bad("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad("secret token contains unallowed characters")
    parts = urlsplit(call.url)
    # a self-hosted Bot API server accepts plain HTTP, and so does the sandbox
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")


@handles(SetWebhook)
async def set_webhook(world: World, call: SetWebhook) -> bool:
    """Deliver updates to a URL; an empty one returns to long polling. At most one call a second."""
    if call.url:
        _check(call)
    now = asyncio.get_running_loop().time()
    if world.webhook_set_at is not None and now - world.webhook_set_at < 1:
        raise too_many(1)
    world.webhook_set_at = now
    world.updates.allow(call.allowed_updates)
    if call.drop_pending_updates:
        world.updates.drop_all()
    if not call.url:
        await delivery(world).stop()
        return True
    world.updates.interrupt()
    most = min(100, max(1, call.max_connections or 40))
    await delivery(world).start(Webhook(call.url, call.secret_token or "", most, call.ip_address))
    return True


@handles(DeleteWebhook)
async def delete_webhook(world: World, call: DeleteWebhook) -> bool:
    """Return to long polling."""
    if call.drop_pending_updates:
        world.updates.drop_all()
    await delivery(world).stop()
    return True


@handles(GetWebhookInfo)
async def get_webhook_info(world: World, _: GetWebhookInfo) -> Json:
    """Return the state of the delivery."""
    result: Json = {"url": "", "has_custom_certificate": False, "pending_update_count": len(world.updates.pending)}
    webhook = world.delivery.webhook if world.delivery is not None else None
    if webhook is None:
        return result
    result |= {"url": webhook.url, "max_connections": webhook.max_connections}
    if webhook.ip_address:
        result["ip_address"] = webhook.ip_address
    if webhook.last_error:
        result |= {"last_error_date": webhook.last_error_date, "last_error_message": webhook.last_error}
    return result | {"allowed_updates": sorted(world.updates.allowed)}
