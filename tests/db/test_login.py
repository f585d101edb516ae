"""Signing in: refused after too many tries, and possible while the broker is away (the tests have none)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests import make

pytestmark = pytest.mark.django_db


def sign_in(client, name, password):
    return client.post(reverse("account_login"), {"login": name, "password": password})


def test_the_right_password_leads_home(client):
    person = make.user()
    assert sign_in(client, person.username, make.PASSWORD).status_code == 302


def test_a_wrong_password_does_not(client):
    person = make.user()
    answer = sign_in(client, person.username, "wrong")
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


def test_after_many_wrong_passwords_the_right_one_is_refused_too(client):
    person = make.user()
    for _ in range(12):
        sign_in(client, person.username, "wrong")
    sign_in(client, person.username, make.PASSWORD)
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up_by_themselves(client):
    answer = client.post(
        reverse("account_signup"),
        {"username": "stranger", "password1": make.PASSWORD, "password2": make.PASSWORD},
    )
    assert "_auth_user_id" not in client.session
    assert answer.status_code in {200, 302, 403}
    assert not type(make.user()).objects.filter(username="stranger").exists()
