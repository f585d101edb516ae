"""What an import takes for a step is asked; labels go along where they can, and where they cannot it is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from annotations.models import Label, Project, Rater, Run, Step, Trajectory
from annotations.segmenting import PARTS
from annotations.services import exports
from annotations.services.segments import NoSuchWay
from tests import make
from tests.db.importing import APB, counts, file, rollout, rows, take

pytestmark = pytest.mark.django_db

MESSAGES = [
    {"role": "user", "content": "Which is deeper?\n\nSay it."},
    {"role": "assistant", "content": "I look at the well. Then at the shaft.\n\nThe well is 12 m."},
    {"role": "user", "content": "And?"},
    {"role": "assistant", "content": "The shaft."},
]


@pytest.fixture
def project() -> Project:
    return make.project()


def record(*messages: dict[str, Any], labels: dict[str, int] | None = None, number: int = 0, **more: Any) -> dict:
    said = {"messages": list(messages or MESSAGES), "step_labels": labels or {}, "final_label": None}
    return rollout(number, **said, **more)


def live(project: Project) -> Trajectory:
    return project.trajectories.live().get()


def agents(trajectory: Trajectory) -> list[str]:
    return [step.message for step in trajectory.steps.of_agent()]


def labels_of(trajectory: Trajectory, rater: Rater) -> dict[str, Any]:
    found = Label.objects.current().filter(annotation__trajectory=trajectory, annotation__rater=rater)
    found = found.filter(annotation__retired_at=None, step__isnull=False)
    return dict(found.values_list("step__message", "value"))


def test_steps_are_what_was_asked_for(project, tmp_path):
    take(project, file(tmp_path, record()), segmentation="paragraph")
    assert agents(live(project)) == ["I look at the well. Then at the shaft.\n\n", "The well is 12 m.", "The shaft."]
    assert live(project).extra["segmentation"] == "paragraph"
    whole = live(project).steps.get(message="The shaft.")
    assert (whole.source_index, whole.extra) == (3, {})


def test_the_same_again_changes_nothing(project, tmp_path):
    path = file(tmp_path, record())
    take(project, path, segmentation="paragraph")
    assert counts(take(project, path, segmentation="paragraph")) == (0, 0, 1, 0)


def test_another_segmentation_is_a_new_version(project, tmp_path):
    path = file(tmp_path, record())
    take(project, path)
    for number, way in enumerate(["paragraph", "sentence", "message"], 2):
        assert counts(take(project, path, segmentation=way)) == (0, 1, 0, 0)
        assert live(project).version == number
    assert agents(live(project)) == [MESSAGES[1]["content"], MESSAGES[3]["content"]]


def test_a_record_without_a_name_is_known_by_its_messages_however_they_are_cut(project, tmp_path):
    path = file(tmp_path, {"messages": MESSAGES})
    take(project, path)
    for way in ("paragraph", "sentence", "message"):
        assert counts(take(project, path, segmentation=way)) == (0, 1, 0, 0)
    assert live(project).version == 4


def test_the_label_of_a_whole_message_is_that_of_none_of_its_parts(project, tmp_path):
    result = take(project, file(tmp_path, record(labels={"1": -1, "3": 1})), segmentation="paragraph")
    assert labels_of(live(project), project.reference) == {"The shaft.": 1}
    (problem,) = result["rejected"]
    assert (problem["field"], "cut into 2 parts" in problem["reason"]) == ("step_labels.1", True)


def test_a_first_error_in_a_message_that_was_cut_is_not_placed(tmp_path):
    project = make.project(scheme=make.scheme("processbench"))
    steps = ["One.\n\nStill one.", "Two."]
    row = {"id": "a-0", "problem": "P", "steps": steps, "final_answer_correct": False, "generator": "m", "label": 0}
    result = take(project, file(tmp_path, row), segmentation="paragraph")
    assert "cut into" in result["rejected"][0]["reason"]
    assert not Label.objects.filter(
        annotation__trajectory=live(project), field=project.scheme.document["main"]
    ).exists()


def test_labels_of_parts_go_along_to_the_whole_they_agree_on(project, tmp_path):
    path = file(tmp_path, record())
    take(project, path, segmentation="sentence")
    judge = make.rater(project, "judge")
    make.rating(judge, live(project), [1, 1, -1, 0])
    result = take(project, path, segmentation="paragraph")
    assert labels_of(live(project), judge) == {
        "I look at the well. Then at the shaft.\n\n": 1,
        "The well is 12 m.": -1,
        "The shaft.": 0,
    }
    assert (result["carried"], result["lost"]) == (3, [])
    assert live(project).annotations.live().get(rater=judge).state == "submitted"


def test_labels_of_parts_that_differ_stay_behind_and_are_listed(project, tmp_path):
    path = file(tmp_path, record())
    take(project, path, segmentation="sentence")
    judge = make.rater(project, "judge")
    make.rating(judge, live(project), [1, -1, 1, 0])
    before = live(project)
    result = take(project, path, segmentation="paragraph")
    assert labels_of(live(project), judge) == {"The well is 12 m.": 1, "The shaft.": 0}
    assert [(one["step"], one["rater"], one["value"]) for one in result["lost"]] == [
        (1, "judge", "Right"),
        (2, "judge", "Wrong"),
    ]
    assert {one["before"] for one in result["lost"]} == {before.pk}
    assert "not all of them" in result["lost"][0]["why"]


def test_a_part_without_a_label_leaves_the_whole_without_one(project, tmp_path):
    path = file(tmp_path, record())
    take(project, path, segmentation="paragraph")
    judge = make.rater(project, "judge")
    make.rating(judge, live(project), [1, None, 0])
    result = take(project, path)
    assert labels_of(live(project), judge) == {"The shaft.": 0}
    assert len(result["lost"]) == 1


def test_the_label_of_a_message_stays_behind_when_it_is_cut(project, tmp_path):
    path = file(tmp_path, record())
    take(project, path)
    judge = make.rater(project, "judge")
    make.rating(judge, live(project), [-1, 1])
    result = take(project, path, segmentation="paragraph")
    assert labels_of(live(project), judge) == {"The shaft.": 1}
    assert [one["why"] for one in result["lost"]] == ["its step was cut into 2 parts"]


def test_parts_keep_their_labels_where_a_message_comes_in_before_them(project, tmp_path):
    take(project, file(tmp_path, record()), segmentation="paragraph")
    judge = make.rater(project, "judge")
    make.rating(judge, live(project), [1, -1, 0])
    more = [{"role": "system", "content": "Be careful."}, *MESSAGES]
    result = take(project, file(tmp_path, record(*more)), segmentation="paragraph")
    assert (result["updated"], result["carried"], result["lost"]) == (1, 3, [])


def test_a_person_whose_labels_all_went_along_is_not_asked_again(project, tmp_path):
    path = file(tmp_path, record())
    take(project, path, segmentation="sentence")
    ann = make.user("ann")
    make.rating(make.rater(project, "ann", "human", ann), live(project), [1, 1, 1, 1])
    take(project, path)
    assert live(project).annotations.live().get().state == "submitted"
    take(project, path, segmentation="sentence")
    assert live(project).annotations.live().get().state == "returned"


def test_messages_go_out_as_they_came_in(project, tmp_path):
    source = rows(APB)
    take(project, APB, segmentation="sentence")
    take(project, file(tmp_path, record(number=7, query_index=7)), segmentation="sentence")
    for trajectory in project.trajectories.all():
        values = [1] * trajectory.steps.of_agent().count()
        make.rating(Rater.objects.get_or_create(project=project, name="j", kind="judge")[0], trajectory, values)
    exports.export(project, "apb", tmp_path / "out", rater="judge:j")
    written = [
        json.loads(line)
        for path in sorted((tmp_path / "out").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    by_number = {row["total_index"]: row for row in written}
    assert by_number[0]["messages"] == source[0]["messages"]
    assert by_number[7]["messages"] == MESSAGES
    assert by_number[7]["step_labels"] == {"1": 1, "3": 1}
    assert not any("segmentation" in row for row in written)


def test_label_files_speak_of_messages(project, tmp_path):
    take(project, file(tmp_path, record()), segmentation="paragraph")
    make.rating(make.rater(project, "j"), live(project), [1, -1, 0])
    exports.export(project, "apb-labels", tmp_path / "out", rater="judge:j")
    (path,) = (tmp_path / "out").glob("*.jsonl")
    assert json.loads(path.read_text())["step_labels"] == {"3": 0}


def test_everything_goes_out_and_comes_back_in_parts(project, tmp_path):
    take(project, file(tmp_path, record()), segmentation="sentence")
    make.rating(make.rater(project, "j"), live(project), [1, -1, 0, 1])
    exports.export(project, "stepmark", tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*.jsonl")
    other = make.project()
    assert take(other, path)["rejected"] == []
    assert agents(live(other)) == agents(live(project))
    assert list(live(other).steps.values_list("source_index", "extra")) == list(
        live(project).steps.values_list("source_index", "extra")
    )
    assert labels_of(live(other), other.raters.get()) == labels_of(live(project), project.raters.get(name="j"))


def test_what_raters_said_goes_along_when_everything_is_cut_anew(project, tmp_path):
    take(project, file(tmp_path, record()), segmentation="sentence")
    make.rating(make.rater(project, "j"), live(project), [1, 1, -1, 0], final=1)
    exports.export(project, "stepmark", tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*.jsonl")
    other = make.project()
    assert take(other, path, segmentation="paragraph")["rejected"] == []
    assert labels_of(live(other), other.raters.get()) == {
        "I look at the well. Then at the shaft.\n\n": 1,
        "The well is 12 m.": -1,
        "The shaft.": 0,
    }
    third = make.project()
    problems = take(third, path, segmentation="message")["rejected"]
    assert problems == [] and len(agents(live(third))) == 4  # by message a file keeps its own steps


def test_a_run_keeps_how_it_cuts(project, client, tmp_path, django_capture_on_commit_callbacks):
    client.force_login(make.member(project, make.user("lead"), "owner").user)
    with django_capture_on_commit_callbacks(), file(tmp_path, record()).open("rb") as stream:
        said = {"what": "trajectories", "files": stream, "segmentation": "paragraph", "duplicates": "group"}
        answer = client.post(f"/p/{project.slug}/import/", said)
    assert answer.status_code == 302
    assert {"segmentation": "paragraph", "duplicates": "group"}.items() <= Run.objects.get().config.items()


def test_a_way_there_is_none_of_is_refused(project, tmp_path):
    with pytest.raises(NoSuchWay, match="paragraph"):
        take(project, file(tmp_path, record()), segmentation="word")
    with pytest.raises(NoSuchWay, match="group"):
        take(project, file(tmp_path, record()), duplicates="maybe")


def test_a_usual_import_says_nothing_of_it(project, tmp_path):
    take(project, file(tmp_path, record()))
    assert "segmentation" not in live(project).extra
    assert not Step.objects.filter(source_index__gte=PARTS).exists()
    assert live(project).whole_hash == ""
