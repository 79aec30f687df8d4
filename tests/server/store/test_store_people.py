import asyncio
import getpass

import pytest
from sqlalchemy import create_engine, text

from contexten.protocol import CheckSuiteSettingsRequest, Role, Window
from contexten.server.store import LastAdminError, NotThereError

pytestmark = pytest.mark.anyio


async def test_the_first_start_makes_one_of_each(store):
    organization, user, secret = await store.people.first_start()
    assert (organization.id, organization.name, user.github_username) == (1, "local", getpass.getuser())
    assert (user.role, user.is_admin) == ("ADMIN", True)
    identity = await store.people.identify(secret)
    assert (identity.organization_id, identity.user_id, identity.role) == (1, user.id, Role.ADMIN)
    assert await store.people.first_start() is None


async def test_of_two_first_starts_at_once_one_makes_them(store):
    results = await asyncio.gather(*(store.people.first_start() for _ in range(5)))
    assert sum(result is not None for result in results) == 1


@pytest.mark.parametrize("secret", ["", "ctx_", "ctx_" + "A" * 43, "\x00", "\ud800", "x" * 100_000])
async def test_an_unknown_secret_is_nobody(store, people, secret):
    assert await store.people.identify(secret) is None


async def test_a_revoked_token_is_nobody(store, people):
    created = await store.people.create_token(1, people.user_id, "laptop", Role.READ_ONLY)
    assert (await store.people.identify(created.token)).role is Role.READ_ONLY
    revoked = await store.people.revoke_token(1, created.id)
    assert revoked.revoked_at is not None
    assert await store.people.identify(created.token) is None
    assert (await store.people.revoke_token(1, created.id)).revoked_at == revoked.revoked_at


async def test_the_last_admin_token_stays(store, people):
    with pytest.raises(LastAdminError, match="Token 1 is the last admin token of organization 1"):
        await store.people.revoke_token(1, 1)
    await store.people.create_token(1, people.user_id, "spare", Role.ADMIN)
    both = [store.people.revoke_token(1, token) for token in (1, 2)]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["Token", "LastAdminError"]


async def test_a_token_is_listed_without_its_secret(store, people):
    created = await store.people.create_token(1, people.user_id, "laptop", Role.MEMBER)
    listed = (await store.people.tokens(1))[-1]
    assert (listed.name, listed.role, listed.prefix) == ("laptop", Role.MEMBER, created.token[:8])
    assert created.token not in str(await store.people.tokens(1))
    assert len(created.token) == 47


async def test_no_secret_is_in_the_database(store, people):
    engine = create_engine(store.url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM tokens")).all())
    engine.dispose()
    assert people.secret[:8] in rows
    assert people.secret[8:] not in rows


async def test_the_use_of_a_token_is_noted(store, people):
    await store.people.identify(people.secret)
    await store.people.create_organization("the writer has come this far", people.user_id)
    (token,) = await store.people.tokens(1)
    assert token.last_used_at is not None
    await store.people.identify(people.secret)
    assert await store.people.tokens(1) == [token]


async def test_an_organization_has_people_of_its_own(store, people):
    organization, secret = await store.people.create_organization("other", people.user_id)
    identity = await store.people.identify(secret)
    assert (identity.organization_id, identity.role) == (organization.id, Role.ADMIN)
    assert await store.people.organizations(identity, Window()) == ([organization], 1)
    assert await store.people.organizations(identity, Window(1, 5)) == ([], 1)
    member = await store.people.add_user(1, "ada", email="ada@example.org", full_name="Ada")
    assert await store.people.user(1, member.id) == member
    with pytest.raises(NotThereError, match=f"no user {member.id} in organization {organization.id}"):
        await store.people.user(organization.id, member.id)
    with pytest.raises(NotThereError):
        await store.people.create_token(organization.id, member.id, "x", Role.MEMBER)
    with pytest.raises(NotThereError):
        await store.people.revoke_token(organization.id, 1)


async def test_what_is_not_there_is_said(store, people):
    with pytest.raises(NotThereError, match="no organization 9"):
        await store.people.organization(9)
    with pytest.raises(NotThereError, match="no organization 9"):
        await store.people.add_user(9, "x")


async def test_users_come_in_pages(store, people):
    for number in range(4):
        await store.people.add_user(1, f"user{number}")
    users, total = await store.people.users(1, Window(3, 10))
    assert ([user.github_username for user in users], total) == (["user2", "user3"], 5)
    assert await store.people.users(1, Window(10**30, 10)) == ([], 5)


async def test_a_folder_is_registered_once(store, people):
    first = await store.repos.add(1, path="/a", name="a", url="https://example.org/a", language="Python")
    assert await store.repos.add(1, path="/a", name="again") == first
    second = await store.repos.add(1, path="/b", name="b")
    assert await store.repos.first(1) == first
    assert await store.repos.list(1, Window(0, 1)) == ([first], 2)
    assert await store.repos.list(1, Window(1, 5)) == ([second], 2)
    assert await store.repos.list(1, Window(10**30, 5)) == ([], 2)


async def test_a_removed_repository_is_gone_until_it_is_added_again(store, people):
    repo = await store.repos.add(1, path="/a", name="a")
    run, _ = await store.runs.create(people.run(repo_id=repo.id))
    await store.repos.remove(1, repo.id)
    for call in (store.repos.get, store.repos.remove, store.checks.get):
        with pytest.raises(NotThereError, match=f"no repository {repo.id}"):
            await call(1, repo.id)
    assert await store.repos.first(1) is None
    assert (await store.runs.get(1, run.id)).repo_id == repo.id
    assert (await store.repos.add(1, path="/a", name="back")).id == repo.id
    assert (await store.repos.get(1, repo.id)).name == "back"


async def test_repositories_of_others_are_absent(store, people):
    organization, _ = await store.people.create_organization("other", people.user_id)
    repo = await store.repos.add(1, path="/a", name="a")
    assert (await store.repos.add(organization.id, path="/a", name="a")).id != repo.id
    with pytest.raises(NotThereError):
        await store.repos.get(organization.id, repo.id)


async def test_check_settings_change_only_where_they_are_given(store, people):
    repo = await store.repos.add(1, path="/a", name="a")
    before = await store.checks.get(1, repo.id)
    changes = CheckSuiteSettingsRequest(check_retry_count=3, custom_prompts={"lint": "be nice"})
    after = await store.checks.update(1, repo.id, changes)
    assert after == before.model_copy(update={"check_retry_count": 3, "custom_prompts": {"lint": "be nice"}})
    again = await store.checks.update(1, repo.id, CheckSuiteSettingsRequest(ignored_checks=["slow"]))
    assert (again.check_retry_count, again.ignored_checks) == (3, ["slow"])
    assert await store.checks.get(1, repo.id) == again
    with pytest.raises(NotThereError):
        await store.checks.update(1, 9, changes)


async def test_a_session_is_shown_by_one_run(store, people):
    runs = await asyncio.gather(*(store.sessions.create(1, people.user_id, "s-1") for _ in range(4)))
    assert len(set(runs)) == 1
    assert await store.sessions.run_of(1, "s-1") == runs[0]
    run = await store.runs.get(1, runs[0])
    assert (run.engine, run.source_type, run.status, run.metadata) == (
        "claude_code",
        "LOCAL",
        "ACTIVE",
        {"session_id": "s-1"},
    )
    assert await store.runs.unqueued() == []
    assert await store.runs.unfinished() == []


async def test_a_session_of_another_organization_is_absent(store, people):
    organization, _ = await store.people.create_organization("other", people.user_id)
    await store.sessions.create(1, people.user_id, "s-1")
    with pytest.raises(NotThereError, match="no Claude Code session 's-1' in organization 2"):
        await store.sessions.run_of(organization.id, "s-1")


async def test_a_silent_worker_counts_as_dead_until_it_is_forgotten(store):
    await store.workers.beat("a")
    await store.workers.beat("b")
    assert await store.workers.dead(60) == []
    assert await store.workers.dead(-1) == ["a", "b"]
    await store.workers.beat("a")
    await store.workers.forget("b")
    assert await store.workers.dead(-1) == ["a"]
