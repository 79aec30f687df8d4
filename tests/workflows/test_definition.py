"""What a workflow's document must be, and what is said when it is not."""

import json

import pytest

from contexten.errors import UsageError, WorkflowError
from contexten.workflows import AgentRole, WorkflowBuilder, WorkflowTemplates, read_definition
from contexten.workflows.definition import check_inputs, with_inputs
from contexten.workflows.drawing import as_mermaid, as_text
from contexten.workflows.files import read_workflow
from contexten.workflows.prompts import LONGEST_RESULT, prompt_of
from contexten.workflows.templates import template, template_names


def document(*tasks, **more):
    return {"id": "w", "name": "W", "tasks": [{"role": "testing", "prompt": "do it", **task} for task in tasks], **more}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (document(), "has no tasks. Add one"),
        (document({"id": "a"}, {"id": "a"}), "Task 'a' is there 2 times. Give each task an id of its own."),
        (document({"id": "a", "dependencies": ["b"]}, {"id": "bb"}), "depends on 'b', which is no task. Did you mean 'bb'?"),
        (
            document({"id": "a", "dependencies": ["c"]}, {"id": "b", "dependencies": ["a"]}, {"id": "c", "dependencies": ["b"]}),
            "Task 'a' waits for itself: a → c → b → a.",
        ),
        (document({"id": "a", "dependencies": ["a"]}), "Task 'a' waits for itself: a → a."),
        (document({"id": "a", "prompt": " \n"}), "The prompt of task 'a' is empty. Say what it shall do."),
        (document({"id": "a", "role": "review"}), "has the role 'review', which is not known. Did you mean 'code_review'?"),
        (document({"id": "a", "retry": {"attempts": 0}}), "Task 'a': retry.attempts cannot be 0"),
        (document({"id": "a", "dependency": []}), "Task 'a' has a field 'dependency', which is not known."),
        (document({"prompt": "x"}), "Task number 1 has no 'id'. Add it."),
        (document({"id": "a b"}), "Task 'a b': id cannot be 'a b'"),
        (document({"id": "a"}, version=2), "version cannot be 2"),
        (document(*({"id": f"t{number}"} for number in range(201))), "has 201 tasks; at most 200"),
        ([], "The workflow"),
        (document({"id": "a", "prompt": "{{ results.b }}"}, {"id": "b"}), "uses results.b, which it does not wait for. Add 'b'"),
        (document({"id": "a", "prompt": "{{ results.b }}"}), "uses results.b, which it does not wait for. There is no such task"),
        (document({"id": "a", "prompt": "{{ inputs.goal }}"}), "uses inputs.goal, which is no input. Add it"),
        (document({"id": "a", "prompt": "{{ "}), "The prompt of task 'a' cannot be used: its template cannot be read (line 1"),
        (document({"id": "a", "prompt": "${{ github.ref }}"}), 'or "template": false'),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_run_is_refused_with_the_task_and_the_next_step(wrong, said):
    with pytest.raises(WorkflowError) as refused:
        read_definition(wrong)
    assert any(said in problem for problem in refused.value.problems), refused.value.problems


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ results.__class__ }}{{ results['__init__'].__globals__ }}",
        "{{ 'a' * 9999999 }}",
        "{% for x in range(99999999) %}x{% endfor %}",
        "{% for n, t in results | dictsort %}{% for m, u in results | dictsort %}{{ u }}{% endfor %}{% endfor %}",
        "{% for c in results.b %}{{ results.b }}{% endfor %}",
        "{% set a = results.b %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{{ lipsum() }}",
        "{{ results.b.format(1) }}",
        "{{ results.b | replace('', results.b) }}",
        "{{ results }}",
        "{{ self }}",
        "{{ results.b ~ results.b }}",
        "{{ " + "(" * 40_000,
        "{% if results.b %}" * 5_000,
    ],
)
def test_a_template_cannot_run_away_or_look_around(template):
    with pytest.raises(WorkflowError):
        read_definition(document({"id": "b"}, {"id": "a", "prompt": template, "dependencies": ["b"]}))


def asked(prompt, results=None, inputs=None, **task):
    first = [{"id": "items"}, {"id": "d-2"}]
    task = {"id": "a", "prompt": prompt, "dependencies": ["items", "d-2"], **task}
    definition = read_definition(document(*first, task, inputs=inputs or {}))
    return prompt_of(definition, definition.tasks[-1], results or {"items": "one", "d-2": "two"}, plain=True)


def test_results_and_inputs_are_filled_in_and_what_they_say_stays_as_it_is():
    assert asked("{{ results.items }} {{ results['d-2'] | upper }}") == "one TWO"
    assert asked("{{ inputs.x }}", inputs={"x": "{{ results.items }} {% if"}) == "{{ results.items }} {% if"
    assert asked("{{ results.items }}", {"items": "{{ inputs.x }}", "d-2": ""}) == "{{ inputs.x }}"
    assert asked("{% for name, text in results | dictsort %}{{ name }}={{ text }};{% endfor %}") == "d-2=two;items=one;"
    assert asked("{% if results.items == 'one' %}yes{% else %}no{% endif %}") == "yes"
    assert asked("${{ github.ref }}", template=False) == "${{ github.ref }}"
    assert asked("{{ results.items }}", {"items": "x" * 50_000, "d-2": ""}).startswith(
        "x" * LONGEST_RESULT + "\n… [the first"
    )


def test_a_prompt_begins_with_its_role_and_ends_with_what_was_found_before_it():
    definition = read_definition(
        document(
            {"id": "a", "name": "First"},
            {"id": "b", "role": "mine", "dependencies": ["a"]},
            roles={"mine": "You are me."},
        )
    )
    said = prompt_of(definition, definition.tasks[1], {"a": "42"})
    assert said == "You are me.\n\ndo it\n\nWhat the tasks before this one found:\n\n### First\n\n42"
    assert prompt_of(definition, definition.tasks[0], {}).startswith("You write and run tests")
    assert prompt_of(definition, definition.tasks[1], {"a": "42"}, plain=True) == "do it"


def test_the_documented_way_to_build_one():
    def api_security_audit_workflow(api_spec):
        return (
            WorkflowBuilder("security_audit", "API Security Audit")
            .add_task("analyze", "Security Analysis", "security_audit", f"Analyze API specification: {api_spec}")
            .add_task(
                "penetration_test", "Penetration Testing", "security_audit", "Design it", dependencies=["analyze"]
            )
            .add_task("report", "Report", "documentation", "Generate it", dependencies=["penetration_test"])
            .build()
        )

    definition = api_security_audit_workflow("/v1")
    assert [task.id for task in definition.tasks] == ["analyze", "penetration_test", "report"]
    with pytest.raises(WorkflowError, match="'security_audit', which is not known"):
        read_definition(definition)
    assert AgentRole("Auditor").get_system_prompt() == ""


def test_every_template_can_be_run_with_any_text():
    hostile = "{{ 7 * 7 }} {% raw %} ${x} \x00"
    for name in template_names():
        definition = template(name)
        filled = with_inputs(definition, dict.fromkeys(definition.inputs, hostile))
        check_inputs(read_definition(filled))
        results = {task.id: hostile for task in filled.tasks}
        said = [prompt_of(filled, task, results) for task in filled.tasks]
        assert "49" not in "".join(said)
        assert not definition.inputs or all(hostile.strip() in each for each in said)
    feature = WorkflowTemplates.feature_development_workflow(feature_name="Sign-in", requirements="JWT")
    assert (feature.inputs["feature_name"], feature.inputs["requirements"]) == ("Sign-in", "JWT")
    with pytest.raises(WorkflowError, match="'bug' has no text"):
        check_inputs(template("bug_fix"))
    with pytest.raises(WorkflowError, match=r"no input 'bg'\. Inputs of this workflow: bug"):
        with_inputs(template("bug_fix"), {"bg": "x"})


def test_a_file_is_json_or_toml(tmp_path):
    (tmp_path / "w.json").write_text(json.dumps(document({"id": "a"})))
    (tmp_path / "w.toml").write_text(
        'id = "w"\nname = "W"\n[[tasks]]\nid = "a"\nrole = "testing"\nprompt = """\ndo\nit"""\n'
    )
    assert read_workflow(tmp_path / "w.json").tasks[0].prompt == "do it"
    assert read_workflow(tmp_path / "w.toml").tasks[0].prompt == "do\nit"
    (tmp_path / "w.json").write_text("{")
    with pytest.raises(UsageError, match="is not JSON"):
        read_workflow(tmp_path / "w.json")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_workflow(tmp_path / "x.json")


def test_drawings():
    definition = read_definition(
        document(
            {"id": "a", "name": 'A "]; evil'},
            {"id": "b", "dependencies": ["a"], "approval": True, "on_failure": "continue"},
        )
    )
    assert list(as_text(definition)) == ["a (testing)", "  b (testing)  ← a  [needs approval, may fail]"]
    assert list(as_mermaid(definition)) == [
        "flowchart TD", '  t0["A     evil<br/>testing"]', '  t1{{"b<br/>testing"}}', "  t0 --> t1",
    ]  # fmt: skip
