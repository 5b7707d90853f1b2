// The benchmark's fake Ollama and its load generator; the standard library alone.
module localchat/bench/load

go 1.26
