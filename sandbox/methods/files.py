"""Photos, documents and downloads."""

import struct
from typing import Any

from aiogram.methods import GetFile, SendDocument, SendPhoto

from sandbox.calls import Files, Upload, handles, handles_files
from sandbox.errors import ApiError, bad
from sandbox.methods.common import caption_text, writable_chat
from sandbox.methods.messages import send
from sandbox.render import file_json
from sandbox.state import File, Json
from sandbox.world import World

PHOTO_BYTES = 10 * 1024 * 1024
UPLOAD_BYTES = 50 * 1024 * 1024
DOWNLOAD_BYTES = 20 * 1024 * 1024


def image_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, GIF or JPEG in pixels; None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        return struct.unpack(">II", content[16:24])
    if content[:6] in (b"GIF87a", b"GIF89a") and len(content) >= 10:
        return struct.unpack("<HH", content[6:10])
    at = 2
    while content.startswith(b"\xff\xd8") and at + 9 < len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None


def _uploaded(value: Any, files: Files, kind: str) -> Upload | str:
    """Return the upload that a parameter names, or the file_id of an earlier one."""
    text = str(value)
    if text.startswith("attach://"):
        upload = files.get(text.removeprefix("attach://"))
        if upload is None:
            raise bad(f"there is no {kind} in the request")
        if not upload.content:
            raise bad("file must be non-empty")
        if len(upload.content) > UPLOAD_BYTES:
            raise ApiError(413)
        return upload
    if text.startswith(("http://", "https://")):
        raise ApiError(400, "failed to get HTTP URL content", wrong=False)
    return text


def _known(world: World, file_id: str, kind: str) -> File:
    file = world.files.get(file_id)
    if file is None:
        raise bad("wrong file identifier/HTTP URL specified")
    if file.kind != kind:
        raise bad(f"can't use file of type {file.kind.capitalize()} as {kind.capitalize()}")
    return file


def _photo(world: World, value: Any, files: Files) -> File:
    upload = _uploaded(value, files, "photo")
    if isinstance(upload, str):
        return _known(world, upload, "photo")
    if len(upload.content) > PHOTO_BYTES:
        size = len(upload.content)
        raise bad(f"file of size {size} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes")
    size_of = image_size(upload.content)
    if size_of is None:
        raise bad("IMAGE_PROCESS_FAILED")
    width, height = size_of
    if width + height > 10_000 or not width or not height or max(width, height) > 20 * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    return world.add_file("photo", upload.name, upload.mime, upload.content, size_of)


@handles_files(SendPhoto)
async def send_photo(world: World, call: SendPhoto, files: Files) -> Json:
    """Send a photo with a caption."""
    caption = caption_text(world, call)
    chat = writable_chat(world, call.chat_id, "photos")
    content = {"photo": [file_json(_photo(world, call.photo, files))]}
    return send(world, chat, call, content | caption.fields("caption", "caption_entities"))


@handles_files(SendDocument)
async def send_document(world: World, call: SendDocument, files: Files) -> Json:
    """Send a file with a caption."""
    caption = caption_text(world, call)
    chat = writable_chat(world, call.chat_id, "documents")
    upload = _uploaded(call.document, files, "document")
    if isinstance(upload, str):
        file = _known(world, upload, "document")
    else:
        file = world.add_file("document", upload.name, upload.mime, upload.content)
    content = {"document": file_json(file)}
    return send(world, chat, call, content | caption.fields("caption", "caption_entities"))


@handles(GetFile)
async def get_file(world: World, call: GetFile) -> Json:
    """Return the download path of a file."""
    file = world.files.get(call.file_id)
    if file is None:
        raise bad("invalid file_id")
    if len(file.content) > DOWNLOAD_BYTES:
        raise bad("file is too big")
    result = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": len(file.content)}
    return result | {"file_path": file.path}
