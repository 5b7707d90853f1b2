"""The health check of the service: whether it reads this file, as it reads a document.

python3 -m reader.health SOCKET
"""

import socket
import sys

from reader.answers import MAX_ANSWER_BYTES, Question, Reason, Unreadable, reading_in

SECONDS = 25  # It may have to wait for its turn.


def main(path: str) -> None:
    """Raises OSError, and Unreadable unless the service is only busy."""
    with socket.socket(socket.AF_UNIX) as connection, open(__file__, "rb") as file:  # noqa: PTH123
        connection.settimeout(SECONDS)
        connection.connect(path)
        socket.send_fds(connection, [Question(".txt").line()], [file.fileno()])
        answer = connection.recv(MAX_ANSWER_BYTES)
    try:
        reading_in(answer)
    except Unreadable as error:
        if error.reason is not Reason.BUSY:
            raise


if __name__ == "__main__":
    main(sys.argv[1])
