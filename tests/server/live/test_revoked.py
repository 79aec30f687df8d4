"""A token that is revoked while its stream is open."""

import time

import httpx2


def test_a_revoked_token_sees_nothing_that_is_said_later(start):
    with start(CONTEXTEN_HEARTBEAT=30) as place:
        admin = place.admin
        made = admin.http.post(admin.url("/tokens"), json={"name": "brief"}).json()
        bearer = {"Authorization": f"Bearer {made['token']}"}
        with httpx2.stream("GET", admin.base_url + admin.url("/events"), headers=bearer, timeout=60) as response:
            lines = response.iter_lines()
            next(lines)
            admin.http.delete(admin.url(f"/tokens/{made['id']}"))
            before = time.monotonic()
            while time.monotonic() < before + 1.1:
                admin.http.get("/health")
            admin.finished("a secret")
            assert "a secret" not in "".join(lines)
