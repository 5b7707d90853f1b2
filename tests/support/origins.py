"""Values that CORS_ORIGINS may list: origins as browsers, editors and apps send them."""

from api.accounts.origins import MAX_ORIGIN_LENGTH

ORIGINS = [
    "http://localhost:3000",
    "https://chat.example.org",
    "http://192.168.1.20:8080",
    "http://[::1]:5173",
    "http://my_host",
    "http://xn--bcher-kva.example",
    "app://obsidian.md",
    "app://-",
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "http://tauri.localhost",
    "chrome-extension://ophjlpahpchlmihnnnihgmmeilfjmjjc",
    "moz-extension://0b5f0d7c-6f8e-4a59-9d3b-2f1f6f6a2c11",
    "safari-web-extension://0B5F0D7C-6F8E-4A59-9D3B-2F1F6F6A2C11",
    "vscode-webview://1tq5qe9pm8t2mh9dcjqmsdmnmvgm2tkoq6k1v6n4kfl0qkgdo6h0",
    "vscode-file://vscode-app",
    f"x://{'a' * (MAX_ORIGIN_LENGTH - 4)}",
]
