"""What every answer that the API makes tells browsers: this is data, for its asker only, and no page."""

# As in nginx/response-headers.conf, for what nginx makes or carries; a test compares the two.
DATA_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "X-Frame-Options": "DENY",
}
# Tokens and what belongs to one caller. The cache of a browser, or one in front of us, looks only at the URL.
CACHING = {"Cache-Control": "no-store"}
