"""`localchat`, the command line of operators: people, their keys and tokens, without the page."""
