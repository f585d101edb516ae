"""Who labels here, as raters."""

from __future__ import annotations

from annotations.models import Project, Rater, User


def rater_of(project: Project, user: User) -> Rater:
    """The person as a rater of the project; made on first use. A name that a file brought stays the file's."""
    if found := Rater.objects.filter(project=project, user=user).first():
        return found
    taken = Rater.objects.filter(project=project, kind=Rater.Kind.HUMAN, name=user.username).exists()
    name = f"{user.username} #{user.pk}" if taken else user.username
    rater, _ = Rater.objects.get_or_create(
        project=project, user=user, defaults={"kind": Rater.Kind.HUMAN, "name": name}
    )
    return rater
