"""The OpenAPI document. What may be refused follows from what an operation takes, so it is said in one place."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from rest_framework.permissions import SAFE_METHODS

from annotations import access
from annotations.api.base import ProjectView, View
from annotations.api.errors import ProblemOut


class Schema(AutoSchema):
    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code in sorted(self._refusals()):
            bodies[str(code)] = self._get_response_for_code(ProblemOut, str(code))
        return bodies

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._resolve_path_parameters(variables)
        for one in parameters:
            if one["name"] == "slug":
                one["schema"] = {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$", "maxLength": 60}
        return parameters

    def _refusals(self) -> set[int]:
        view = self.view
        if not isinstance(view, View):
            return set()
        codes = {401, *view.also.get(view.action, ())}
        takes_body = self._get_request_body() is not None
        if takes_body:
            codes |= {400, 415}
        if self._get_filter_parameters() or self._get_pagination_parameters():
            codes.add(400)
        if self.method not in SAFE_METHODS or self._is_for_some_roles():
            codes.add(403)
        if "{" in self.path:
            codes.add(404)
        return codes

    def _is_for_some_roles(self) -> bool:
        return isinstance(self.view, ProjectView) and self.view.roles_now() != access.SEE


class TokenScheme(KnoxTokenScheme):
    target_class = "annotations.api.auth.TokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <your token>`; make one on the tokens page.",
        }
