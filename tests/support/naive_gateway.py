"""The control: a gateway as commonly written. It fails where LocalChat passes, which shows that the tests find faults.

    NAIVE_OLLAMA_URL=http://127.0.0.1:11434 uvicorn tests.support.naive_gateway:app

A FastAPI route that checks a token, opens a stream with httpx and passes it on; uploads through `UploadFile`.
Not for use.
"""

import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request, UploadFile
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt

OLLAMA_URL = os.environ.get("NAIVE_OLLAMA_URL", "http://127.0.0.1:11434")
UPLOADS = Path(os.environ.get("NAIVE_UPLOADS", "/tmp/naive-uploads"))
KEY = "your-secret-key-here"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.client = httpx.AsyncClient(base_url=OLLAMA_URL, timeout=None, trust_env=False)
    yield
    await app.state.client.aclose()


UPLOADS.mkdir(parents=True, exist_ok=True)
app = FastAPI(lifespan=lifespan)


def user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    try:
        return str(jwt.decode(credentials.credentials, KEY, algorithms=["HS256"])["sub"])
    except JWTError as error:
        raise HTTPException(401, "Could not validate credentials") from error


@app.post("/login")
async def login(body: dict[str, Any]) -> dict[str, str]:
    if body.get("password") != "changeme":
        raise HTTPException(401, "Incorrect password")
    return {
        "access_token": jwt.encode({"sub": body.get("email"), "exp": time.time() + 3600}, KEY),
        "token_type": "bearer",
    }


@app.get("/models")
async def models(request: Request, _: Annotated[str, Depends(user)]) -> Any:
    return (await request.app.state.client.get("/api/tags")).json()


@app.post("/chat")
async def chat(request: Request, body: dict[str, Any], _: Annotated[str, Depends(user)]) -> StreamingResponse:
    client: httpx.AsyncClient = request.app.state.client
    response = await client.send(client.build_request("POST", "/api/chat", json=body), stream=True)

    async def lines() -> AsyncIterator[str]:
        async for line in response.aiter_lines():
            yield line + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@app.post("/upload")
async def upload(file: UploadFile, _: Annotated[str, Depends(user)]) -> dict[str, str]:
    name = f"{secrets.token_hex(6)}_{file.filename}"
    with (UPLOADS / name).open("wb") as target:
        shutil.copyfileobj(file.file, target)
    return {"filename": name, "download_path": f"/files/{name}"}


@app.get("/files/{filename}")
async def download(filename: str, _: Annotated[str, Depends(user)]) -> FileResponse:
    return FileResponse(UPLOADS / filename)
