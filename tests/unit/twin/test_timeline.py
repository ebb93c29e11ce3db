"""A plan survives its file; neighbours that overlap are found, those that touch are not."""

from twin.mission.timeline import Activity, Contact, Timeline, overlaps


def test_a_plan_survives_its_file():
    plan = Timeline(
        start_us=0,
        end_us=1000,
        activities=(Activity(10, 20, "nadir"), Activity(30, 50, "city", "paris", 48.9, 2.35, 3)),
        contacts=(Contact("Kiruna", "x", 100, 200, 45.0),),
        unserved=(("oslo", "the Sun is down"),),
        method="cp_sat",
        objective=12.0,
        bound=12.5,
    )
    assert Timeline.restore(plan.dump()) == plan
    assert plan.gap == 0.5 / 12.5


def test_overlaps_are_found_in_any_order_and_touching_is_none():
    early, touching, late = Activity(0, 10, "nadir"), Activity(10, 20, "glint"), Activity(19, 30, "target")
    assert overlaps([touching, early]) == []
    assert overlaps([late, touching, early]) == [(touching, late)]
