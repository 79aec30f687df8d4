import asyncio

import pytest

from contexten.protocol import Role
from contexten.server.store import LastAdminError

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(store):
    _, _, secret = await store.people.first_start()
    return await store.people.identify(secret)


async def test_of_all_who_use_a_link_at_once_one_comes_in(store, admin):
    code, _ = await store.sign_ins.create_link(admin.token_id)
    sessions = [session for session in await asyncio.gather(*(store.sign_ins.begin(code) for _ in range(5))) if session]
    assert len(sessions) == 1
    assert await store.sign_ins.session(sessions[0].secret) == sessions[0]
    assert (await store.people.identify(sessions[0].secret)).role == Role.ADMIN


async def test_a_session_ends_with_the_token_that_began_it_and_so_do_those_that_it_began(store, admin):
    other = await store.people.create_token(admin.organization_id, admin.user_id, "phone", Role.READ_ONLY)
    first = await store.sign_ins.begin((await store.sign_ins.create_link(other.id))[0])
    second = await store.sign_ins.begin((await store.sign_ins.create_link(first.id))[0])
    assert (await store.people.identify(second.secret)).role == Role.READ_ONLY
    pending, _ = await store.sign_ins.create_link(first.id)
    await store.people.revoke_token(admin.organization_id, other.id)
    for session in (first, second):
        assert await store.sign_ins.session(session.secret) is None
        assert await store.people.identify(session.secret) is None
    assert await store.sign_ins.begin(pending) is None


async def test_a_session_is_signed_out_once_and_is_no_admin_that_counts(store, admin):
    session = await store.sign_ins.begin((await store.sign_ins.create_link(admin.token_id))[0])
    with pytest.raises(LastAdminError):
        await store.people.revoke_token(admin.organization_id, admin.token_id)
    await store.people.revoke_token(admin.organization_id, session.id)
    await store.sign_ins.end(session)
    assert await store.sign_ins.session(session.secret) is None


@pytest.mark.parametrize("code", ["", "guess", "\x00", "\ud800"])
async def test_an_unknown_code_begins_nothing(store, admin, code):
    assert await store.sign_ins.begin(code) is None
    assert await store.sign_ins.session(code) is None
