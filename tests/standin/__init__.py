"""A provider that breaks in every way a provider can: a server on a raw socket, for tests and load programs.

In a test, as a fixture or a block; `close()` ends every wait at once, and a wrong script or name fails the block:

    with StandIn() as provider:                                  # base_url: provider.url + "/v1"
        provider.script("fault-429-after-2", model="gpt-x")      # the next call for gpt-x fails, the one after is fine
        provider.script(replay(load_recording(path), seed=7), path="/v1/messages", times=None)
        ...                                                      # drive the gateway
        sent = provider.journal.last                             # .json, .headers, .header("authorization"), .nth
        (left,) = provider.journal.wait(model="words-50-hold-3", outcome="aborted")
        assert left.words_sent == 3
        provider.release("words-50-hold-3")                      # what held goes on

Without a script the model's name says what happens (see `grammar`; `python -m tests.standin --grammar` lists all):
`words-60-gap-20` streams 60 words 20 ms apart (`text(60)` is what a client must end up with), `fault-cut-5-rst` resets
after five, `first-2-fault-500` fails twice, `fault-hang`, `fault-errormid-3-529`, `fault-bomb-64` ... A name that does
not begin with a word of the grammar is answered with five words. The path's end decides the language: chat/completions,
completions, responses, embeddings, moderations, models in OpenAI's, messages, messages/count_tokens in Anthropic's.

- Anything else is an `Answer`, or a function from the `Request` to one: status, headers, `Piece`s of the body with a
  pause or a gate before each, framing, how it ends (`End`), where it is cut (`Cuts`).
- Wait on the journal, never on time: `journal.wait(count, **attributes)`, `journal.wait_for(predicate)`. What a client
  can have seen is in it already. A client's FIN counts as leaving, even one that still reads.
- Trouble below HTTP: `provider.down()` and `up()`, `script_connections(End.RST | End.FIN | End.HANG)`, and in `ports`
  `closed_port()`, `silent_port()`, `full_port()`; TLS by `StandIn(tls=make_authority(tmp_path).context())`.
- In a process of its own: `with standin_process() as remote:` (`remote`) offers the same with records as dicts;
  `python -m tests.standin --port 0` prints its port and obeys /__control/ (`control`).
"""

from tests.standin.certificates import Authority, make_authority
from tests.standin.journal import ConnectionRecord, Journal, RequestRecord
from tests.standin.message import Answer, Cuts, End, Framing, Part, Piece, Request
from tests.standin.plan import text, word
from tests.standin.ports import closed_port, full_port, silent_port
from tests.standin.recording import Exchange, load_index, load_recording, recordings_dir, replay
from tests.standin.remote import Remote, standin_process
from tests.standin.server import StandIn

__all__ = [
    "Answer",
    "Authority",
    "ConnectionRecord",
    "Cuts",
    "End",
    "Exchange",
    "Framing",
    "Journal",
    "Part",
    "Piece",
    "Remote",
    "Request",
    "RequestRecord",
    "StandIn",
    "closed_port",
    "full_port",
    "load_index",
    "load_recording",
    "make_authority",
    "recordings_dir",
    "replay",
    "silent_port",
    "standin_process",
    "text",
    "word",
]
