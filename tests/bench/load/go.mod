// The benchmark's fake Ollama and its load generator; only the standard library.
module localchat/bench/load

go 1.26
