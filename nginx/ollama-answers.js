// Which response headers pass from Ollama to the client. Used by ollama.conf, because nginx itself can only list headers to
// hide. Whatever answers at OLLAMA_URL can set no cookie, redirect no browser and serve no page under our origin.

const PASSED = ['content-type', 'content-length'];
// The types that Ollama uses. As in the API's relay.py; a test compares the two.
const TYPES = /^(application\/(json|x-ndjson)|text\/(event-stream|plain))( *; *charset=utf-8)?$/i;

// Called by nginx before it adds its own headers.
function pass_listed(r) {
    refuse_what_is_no_answer(r);
    for (const name in r.headersOut) {
        if (!PASSED.includes(name.toLowerCase())) {
            delete r.headersOut[name];
        }
    }
    if (!TYPES.test(r.headersOut['Content-Type'])) {
        r.headersOut['Content-Type'] = 'application/octet-stream';
    }
}

// nginx would pass a 100 on as the response with the rest as unframed bytes, open a tunnel for a 101, and pass on anything
// without a status line as is (HTTP/0.9). Throwing closes the client's connection; a filter cannot send another response.
function refuse_what_is_no_answer(r) {
    if (r.status < 200 || r.httpVersion === '0.9') {
        throw new Error(`Ollama sent no answer, but status ${r.status} in HTTP/${r.httpVersion}`);
    }
}

export default { pass_listed };
