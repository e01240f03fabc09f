"""A small broker for tests of the client side: answers what a test tells it to, and remembers every request.

It knows DKT/1's frames and keys, nothing of tickets. The real broker is tested elsewhere.
"""
import threading

import msgpack
import zmq


class FakeBroker:
    """`answers` maps an op to a body, or to a function of the request that gives a body, a refusal (Refuse) or None (silence)."""

    def __init__(self, answers=None, endpoint="tcp://127.0.0.1:*"):
        self.answers = dict(answers or {})
        self.requests = []
        self.done = {}  # key -> body
        self.silent = False
        self._stop = threading.Event()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.linger = 0
        self._socket.bind(endpoint)
        self.endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join()
            self._context.destroy(linger=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def bodies(self, op):
        return [r["body"] for r in list(self.requests) if r["op"] == op]

    def _run(self):
        while not self._stop.is_set():
            if self._socket.poll(20):
                frames = self._socket.recv_multipart()
                answer = self._answer(msgpack.unpackb(frames[-1], raw=False))
                if answer is not None:
                    self._socket.send_multipart(frames[:-1] + [msgpack.packb(answer)])

    def _answer(self, request):
        self.requests.append(request)
        if self.silent:
            return None
        key = request["body"].get("key")
        head = {"dkt": 1, "id": request["id"]}
        if key in self.done and request["op"] != "ticket.find":
            return {**head, "ok": True, "body": {**self.done[key], "duplicate": True}}
        answer = self.answers.get(request["op"], Refuse("unsupported", f"unknown op {request['op']}"))
        if callable(answer):
            answer = answer(request)
        if answer is None:
            return None
        if isinstance(answer, Refuse):
            return {**head, "ok": False, "error": answer.error}
        if key is not None:
            self.done[key] = answer
        return {**head, "ok": True, "body": answer}


class Refuse:
    def __init__(self, code, message, field=None, retry=False, retry_after_ms=None):
        self.error = {"code": code, "message": message, "retry": retry}
        if field is not None:
            self.error["field"] = field
        if retry_after_ms is not None:
            self.error["retry_after_ms"] = retry_after_ms
